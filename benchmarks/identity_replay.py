"""`identity.replay`: people rebuilt from a log of a million rows, after all of them were lost."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final, LiteralString

from psycopg import Connection

from archive.identity.constraints import LinkKind
from archive.identity.events import Cell, DecidedBy, Membership, Register, Standing, Value
from archive.identity.projection import Projection
from archive.identity.records import IdentityState
from benchmarks.claims import PAIRS, Measurement, claim
from benchmarks.identity_log import MODEL, faces_of, made_log
from resources.store import identity_events
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate

ROWS: Final = 1_000_000
QUICK_ROWS: Final = 20_000
SEED: Final = 5
_DECISIONS_AT_A_TIME: Final = 10_000

_FILL: Final[tuple[LiteralString, ...]] = (
    """INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)
       VALUES (%(model)s, 'insightface', 'none', true, 4, '{}')""",
    """INSERT INTO blobs (content_key, size_bytes)
       SELECT 'sha256:' || lpad(to_hex(i), 64, '0'), 1 FROM generate_series(1, %(faces)s) AS i""",
    """INSERT INTO faces (face_id, content_key, x1, y1, x2, y2, landmarks, landmark_schema,
                          detection_score, quality, model, crop_key)
       SELECT lpad(to_hex(i), 32, '0')::uuid, 'sha256:' || lpad(to_hex(i), 64, '0'),
              10, 10, 110, 130, '{}', 'none', 0.9, 0.8, %(model)s, 'crop'
       FROM generate_series(1, %(faces)s) AS i""",
)
_LOSE: Final = "TRUNCATE identities, assignments, constraints, suppressed_regions CASCADE"
_SEEN: Final = "VACUUM ANALYZE"

_FACES: Final = "SELECT face_id, identity_id, similarity, decided_by FROM assignments"
_IDENTITIES: Final = """
SELECT identity_id, state, merged_into, label, cover_face_id FROM identities
"""
_SUPPRESSED: Final = "SELECT face_id FROM suppressed_regions"
_LINKS: Final = "SELECT face_id, other_face_id, kind FROM constraints"


@claim(
    "identity.replay",
    title="people rebuilt from a log of a million rows, state equal",
    unit="s",
    bar=60,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Rebuild from nothing, and compare all of it with what the rule gives in memory."""
    rows = QUICK_ROWS if quick else ROWS
    with _archive(rows) as database:
        expected, written = _log(database, rows)
        store = CorrectionStore(database)
        seconds = tuple(_rebuild(database, store) for _ in range(PAIRS))
        with database.transaction() as connection:
            equal = registers(connection) == expected
        started = time.perf_counter()
        differing = store.check().total
        checked = time.perf_counter() - started
    if not equal or differing:
        raise AssertionError("the rebuilt people are not what the log comes to")
    detail = (
        f"{written} made rows (seed {SEED}) about {faces_of(rows)} faces come to "
        f"{len(expected)} registers, all equal to the rule applied in memory; checking that the "
        f"tables agree takes {checked:.1f} s"
    )
    return Measurement(seconds, (), detail)


@contextmanager
def _archive(rows: int) -> Iterator[Database]:
    """Give an archive with the faces that the log is about, in a server of its own."""
    with tempfile.TemporaryDirectory(prefix="face-archive-log-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = EmbeddedPostgres(folder / "data")
        try:
            migrate(server.archive_url)
            with Database(server.archive_url) as database:
                with database.transaction() as connection:
                    for statement in _FILL:
                        connection.execute(statement, {"faces": faces_of(rows), "model": MODEL})
                yield database
        finally:
            server.stop()


def _log(database: Database, rows: int) -> tuple[dict[Cell, Value], int]:
    """Write the log; give what it comes to by the rule, and how many rows it has."""
    projection, written, decisions = Projection(), 0, made_log(rows, SEED)
    with database.transaction() as connection:
        while some := list(islice(decisions, _DECISIONS_AT_A_TIME)):
            identity_events.append(connection, some)
            for decision in some:
                projection.apply(decision)
                written += len(decision.writes)
    with database.session() as connection:
        connection.execute(_SEEN)
    return projection.values(), written


def _rebuild(database: Database, store: CorrectionStore) -> float:
    with database.transaction() as connection:
        connection.execute(_LOSE)
    started = time.perf_counter()
    store.rebuild()
    return time.perf_counter() - started


def registers(connection: Connection) -> dict[Cell, Value]:
    """Give the tables as registers that hold something."""
    held: dict[Cell, Value] = {}
    for face, identity, similarity, by in connection.execute(_FACES):
        held[Cell(Register.FACE, face)] = Membership(identity, similarity, DecidedBy(by))
    for identity, state, merged_into, label, cover in connection.execute(_IDENTITIES):
        values: dict[Register, Value] = {Register.LABEL: label, Register.COVER: cover}
        if state != IdentityState.WITHDRAWN:
            values[Register.STATE] = Standing(IdentityState(state), merged_into)
        for register, value in values.items():
            if value is not None:
                held[Cell(register, identity_id=identity)] = value
    for (face,) in connection.execute(_SUPPRESSED):
        held[Cell(Register.SUPPRESSED, face)] = True
    for face, other, kind in connection.execute(_LINKS):
        held[Cell(Register.LINK, face, other)] = LinkKind(kind)
    return held
