"""The log of people in the store: appending decisions, and reading them back.

The table `identity_events` with its payloads, one row a written register. Whoever appends holds
the one lock of deciding (`deciding`), so that the rows of a decision and of two decisions never
mix; erasing alone needs none, because nothing can be decided about what is gone. What the tables
beside the log make of it is `replaying`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from archive.errors import Transient
from archive.identity.constraints import LinkKind
from archive.identity.events import (
    Beginning,
    Cell,
    DecidedBy,
    Decision,
    EventKind,
    LoggedDecision,
    Membership,
    Register,
    Standing,
    Value,
    Write,
)
from archive.identity.projection import undone
from archive.identity.records import IdentityState
from archive.ids import ContentKey, DecisionId, FaceId, IdentityId
from resources.store.database import Database

BUSY_RETRY_SECONDS: Final = 30.0

# The key of `locks.named_lock("identify")`, but held by the transaction that writes, so that the
# lock cannot be lost before the writing is.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('named:identify', 0))"
_WAIT = "SELECT set_config('lock_timeout', %s, true)"
_WAIT_AS_EVER = "SET LOCAL lock_timeout TO DEFAULT"

_COPY_PAYLOADS = "COPY event_payloads (payload_id, payload) FROM STDIN"
_COPY_EVENTS = """
COPY identity_events (decision_id, kind, register, identity_id, other_identity_id, face_id,
                      other_face_id, value, similarity, actor, cause, payload_id, undoes)
FROM STDIN
"""

# The log is the truth: whoever replays it must not look for these faces. Evidence goes with them.
_LOG_ERASED = """
INSERT INTO identity_events (decision_id, kind, register, face_id, other_identity_id, actor, cause)
SELECT %(decision_id)s, 'erased', 'face', face_id, identity_id, %(actor)s, %(cause)s
FROM faces LEFT JOIN assignments USING (face_id)
WHERE content_key = ANY(%(keys)s) AND (identity_id IS NOT NULL OR EXISTS (
    SELECT FROM identity_events AS told
    WHERE told.face_id = faces.face_id OR told.other_face_id = faces.face_id))
"""
_ERASE_EVIDENCE = """
DELETE FROM event_payloads USING identity_events, faces
WHERE identity_events.payload_id = event_payloads.payload_id
  AND faces.face_id IN (identity_events.face_id, identity_events.other_face_id)
  AND faces.content_key = ANY(%(keys)s)
"""

_ROWS: Final[LiteralString] = """
SELECT event_id, decision_id, kind, register, identity_id, other_identity_id, face_id,
       other_face_id, value, similarity, actor, cause, undoes, identity_events.created_at, payload
FROM identity_events LEFT JOIN event_payloads USING (payload_id)
"""

_OF_DECISION = _ROWS + "WHERE decision_id = %(decision_id)s ORDER BY event_id"

_OF_CELLS = (
    _ROWS
    + """
WHERE event_id IN (
    SELECT event_id FROM identity_events
    WHERE register = 'face' AND face_id = ANY(%(faces)s::uuid[])
    UNION
    SELECT event_id FROM identity_events
    WHERE register = 'suppressed' AND face_id = ANY(%(suppressed)s::uuid[])
    UNION
    SELECT event_id
    FROM unnest(%(firsts)s::uuid[], %(seconds)s::uuid[]) AS pair (face_id, other_face_id)
    JOIN identity_events USING (face_id, other_face_id)
    WHERE register = 'link'
    UNION
    SELECT event_id
    FROM unnest(%(registers)s::text[], %(identities)s::uuid[]) AS one (register, identity_id)
    JOIN identity_events USING (register, identity_id)
    WHERE register IN ('label', 'state', 'cover'))
ORDER BY event_id
"""
)

_LATEST = (
    _ROWS
    + """
JOIN (
    SELECT decision_id, max(event_id) AS latest FROM identity_events
    WHERE (%(identity_id)s::uuid IS NULL
       OR identity_id = %(identity_id)s OR other_identity_id = %(identity_id)s)
      AND (%(face_id)s::uuid IS NULL OR face_id = %(face_id)s OR other_face_id = %(face_id)s)
    GROUP BY decision_id ORDER BY latest DESC LIMIT %(limit)s
) AS wanted USING (decision_id)
WHERE (%(identity_id)s::uuid IS NULL
       OR identity_id = %(identity_id)s OR other_identity_id = %(identity_id)s)
  AND (%(face_id)s::uuid IS NULL OR face_id = %(face_id)s OR other_face_id = %(face_id)s)
ORDER BY wanted.latest DESC, event_id
"""
)

# What is asked for was hardly ever decided long ago: the newest come first.
_DECIDED_FOR = (
    _ROWS
    + """
WHERE decision_id IN (
    SELECT decision_id FROM identity_events WHERE starts_with(cause, %(cause)s)
    ORDER BY event_id DESC LIMIT %(limit)s)
ORDER BY max(event_id) OVER (PARTITION BY decision_id) DESC, event_id
"""
)

_UNDOINGS = """
SELECT decision_id, undoes FROM identity_events
WHERE undoes IS NOT NULL GROUP BY 1, 2 ORDER BY min(event_id)
"""


@contextmanager
def deciding(database: Database, *, wait_seconds: float) -> Iterator[Connection]:
    """Take the one lock of its kind and a transaction, for the length of the body.

    Args:
        database: The archive.
        wait_seconds: How long to wait for somebody else to end; more than 0.

    Raises:
        Transient: Somebody else decides about people, or the database does not answer.
    """
    with database.transaction() as connection:
        connection.execute(_WAIT, (f"{round(wait_seconds * 1000)}ms",))
        try:
            connection.execute(_LOCK)
        except LockNotAvailable as exc:
            busy = "another run is deciding about people"
            raise Transient(busy, BUSY_RETRY_SECONDS) from exc
        connection.execute(_WAIT_AS_EVER)
        yield connection


def append(connection: Connection, decisions: Iterable[Decision]) -> None:
    """Write decisions at the end of the log, in their order."""
    payloads: list[tuple[object, ...]] = []
    rows = [_row(each, write, payloads) for each in decisions for write in each.writes]
    copy_rows(connection, _COPY_PAYLOADS, payloads)
    copy_rows(connection, _COPY_EVENTS, rows)


def copy_rows(
    connection: Connection, statement: LiteralString, rows: Iterable[tuple[object, ...]]
) -> None:
    """Send rows in one stream."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def log_erased(
    connection: Connection, keys: Sequence[ContentKey] | Sequence[str], *, actor: str, cause: str
) -> None:
    """Say that the faces of some contents are erased, before they are, and delete the evidence.

    Args:
        connection: The transaction that erases them.
        keys: The contents.
        actor: `deletion`, or what else erases.
        cause: Why.
    """
    values = {"keys": list(keys), "decision_id": uuid4(), "actor": actor, "cause": cause}
    connection.execute(_ERASE_EVIDENCE, values)
    connection.execute(_LOG_ERASED, values)


def decision_of(connection: Connection, decision_id: DecisionId) -> LoggedDecision | None:
    """Give one decision, whole."""
    found = _read(connection, _OF_DECISION, {"decision_id": decision_id})
    return found[0] if found else None


def decisions_on(connection: Connection, cells: Collection[Cell]) -> list[LoggedDecision]:
    """Give the decisions that wrote any of these registers, in order, cut down to them."""
    links = [cell for cell in cells if cell.register is Register.LINK]
    people = [cell for cell in cells if cell.identity_id is not None]
    values = {
        "faces": [cell.face_id for cell in cells if cell.register is Register.FACE],
        "suppressed": [cell.face_id for cell in cells if cell.register is Register.SUPPRESSED],
        "firsts": [cell.face_id for cell in links],
        "seconds": [cell.other_face_id for cell in links],
        "registers": [str(cell.register) for cell in people],
        "identities": [cell.identity_id for cell in people],
    }
    return _read(connection, _OF_CELLS, values)


def latest_decisions(
    connection: Connection,
    *,
    identity_id: IdentityId | None,
    face_id: FaceId | None,
    limit: int,
) -> list[LoggedDecision]:
    """Give the latest decisions, latest first, cut down to what touches an identity or a face."""
    values = {"identity_id": identity_id, "face_id": face_id, "limit": limit}
    return _read(connection, _LATEST, values)


def decisions_for(connection: Connection, *, cause: str, limit: int) -> list[LoggedDecision]:
    """Give decisions whose cause begins so, of the latest so many writes, latest first."""
    return _read(connection, _DECIDED_FOR, {"cause": cause, "limit": limit})


def _read(
    connection: Connection, statement: LiteralString, values: dict[str, Any]
) -> list[LoggedDecision]:
    undoings = {DecisionId(one): DecisionId(other) for one, other in connection.execute(_UNDOINGS)}
    taken_back = undone(undoings)
    grouped: dict[UUID, list[dict[str, Any]]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(statement, values):
            grouped.setdefault(row["decision_id"], []).append(row)
    logged = (_logged(rows) for rows in grouped.values())
    return [replace(each, undone_by=taken_back.get(each.decision.decision_id)) for each in logged]


def _row(
    decision: Decision, write: Write, payloads: list[tuple[object, ...]]
) -> tuple[object, ...]:
    """Give the columns of `_COPY_EVENTS`; what can be deleted later goes to `payloads`."""
    cell, value = write.cell, write.value
    identity_id, face_id, text, similarity = cell.identity_id, cell.face_id, None, None
    other_identity_id, payload = write.left, _payload(write)
    if isinstance(value, Membership):
        identity_id, text, similarity = value.identity_id, str(value.decided_by), value.similarity
    elif isinstance(value, Standing):
        other_identity_id, text = value.merged_into, str(value.state)
    elif cell.register is Register.SUPPRESSED:
        text = "yes" if value else "no"
    elif cell.register is Register.COVER:
        face_id = value  # type: ignore[assignment]  # what a cover holds
    elif cell.register is Register.LINK and value is not None:
        text = str(value)
    payload_id = None
    if payload is not None:
        payload_id = uuid4()
        payloads.append((payload_id, Jsonb(payload)))
    kind = EventKind.FOUND if write.begins is not None else decision.kind
    return (
        *(decision.decision_id, str(kind), str(cell.register), identity_id, other_identity_id),
        *(face_id, cell.other_face_id, text, similarity, decision.actor, decision.cause),
        *(payload_id, decision.undoes),
    )


def _payload(write: Write) -> dict[str, object] | None:
    """Give what is kept apart: a name, which can be deleted, or what an identity begins with."""
    if write.begins is not None:
        return {"number": write.begins.number, "model": write.begins.model}
    if write.cell.register is Register.LABEL and write.value is not None:
        return {"label": write.value}
    return None


def _logged(rows: Sequence[dict[str, Any]]) -> LoggedDecision:
    first = rows[0]
    kinds = [EventKind(row["kind"]) for row in rows]
    kind = next((kind for kind in kinds if kind is not EventKind.FOUND), EventKind.FOUND)
    decision = Decision(
        decision_id=DecisionId(first["decision_id"]),
        kind=kind,
        actor=first["actor"],
        cause=first["cause"] or "",
        writes=tuple(_write(row) for row in rows),
        undoes=first["undoes"],
    )
    return LoggedDecision(min(row["event_id"] for row in rows), first["created_at"], decision)


def _write(row: dict[str, Any]) -> Write:
    register, payload = Register(row["register"]), row["payload"] or {}
    cell = Cell(
        register,
        face_id=None if register is Register.COVER else row["face_id"],
        other_face_id=row["other_face_id"],
        identity_id=None if register is Register.FACE else row["identity_id"],
    )
    begins = Beginning(payload["number"], payload["model"]) if "number" in payload else None
    left = row["other_identity_id"] if register is Register.FACE else None
    return Write(cell, _value(register, row, payload), left, begins)


def _value(register: Register, row: dict[str, Any], payload: dict[str, Any]) -> Value:
    text = row["value"]
    match register:
        case Register.FACE:
            if text is None:
                return None
            return Membership(row["identity_id"], row["similarity"], DecidedBy(text))
        case Register.STATE:
            return None if text is None else Standing(IdentityState(text), row["other_identity_id"])
        case Register.LABEL:
            label = payload.get("label")
            return None if label is None else str(label)
        case Register.COVER:
            return None if row["face_id"] is None else FaceId(row["face_id"])
        case Register.SUPPRESSED:
            return bool(text == "yes")
        case Register.LINK:
            return None if text is None else LinkKind(text)
