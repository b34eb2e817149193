"""An archive of millions of messages, and the warehouse that is built from it.

Filled by the server itself; built by the real assets in this process. Made once a run of the
benchmarks for all claims about it, and gone with the process. What is claimed is in
``analytics_build`` and ``analytics_questions``.
"""

from __future__ import annotations

import atexit
import resource
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Final, LiteralString

import dagster as dg

from archive_assets.analytics import build_marts, warehouse_snapshots
from resources.settings import Settings
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate
from resources.toolbox import Toolbox
from resources.warehouse.reading import warehouse_file

MESSAGES: Final = 5_000_000
QUICK_PART: Final = 20
_MESSAGES_A_FACE: Final = 5
_CHATS: Final = 50
_PEOPLE_PART: Final = 50
"""Faces a person, on average: the first people have thousands, the last ones a few."""

# Every fifth message carries a medium; of five media one is a forward of an older content, the
# others show 1.25 faces. Four media in a row are an album, every third time. History came in over
# two months; what was sent spans six years.
_FILL: Final[tuple[LiteralString, ...]] = (
    # No trigger and no foreign key: the first build reads everything whatever was noted.
    "SET session_replication_role = replica",
    "INSERT INTO accounts (account_id, name) VALUES (1, 'Ada')",
    """INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)
       VALUES ('benchmark', 'insightface', 'none', true, 4, '{}')""",
    """INSERT INTO chats (chat_no, chat_id, kind, id_space, account_id, title, allow_archive,
                          allow_faces, added_at)
       SELECT i, -i, 'supergroup', 'own', 1, 'Chat ' || i, true, true, now()
       FROM generate_series(1, %(chats)s) AS i""",
    """INSERT INTO windows (window_key, chat_no, first_id, last_id, watermark, read_at)
       SELECT format('%%s_%%s_%%s', chat, lpad(first::text, 10, '0'),
                     lpad((first + 9999)::text, 10, '0')),
              chat, first, first + 9999, first + 9999, now()
       FROM generate_series(1, %(chats)s) AS chat,
            generate_series(1, %(messages)s / %(chats)s, 10000) AS first""",
    """INSERT INTO messages (chat_no, message_id, kind, sent_at, sender_id, grouped_id, text, raw,
                             created_at)
       SELECT 1 + i %% %(chats)s, 1 + i / %(chats)s,
              CASE WHEN i / %(chats)s %% 5 = 0 THEN 'media' ELSE 'text' END,
              now() - (%(messages)s - i) * (interval '6 years' / %(messages)s),
              i::bigint * 7919 %% 1000,
              CASE WHEN i / %(chats)s %% 60 < 20 THEN i / %(chats)s / 20 END,
              repeat('words ', 10), jsonb_build_object('_', 'Message', 'id', i),
              now() - (%(messages)s - i) * (interval '60 days' / %(messages)s)
       FROM generate_series(0, %(messages)s - 1) AS i""",
    """INSERT INTO blobs (content_key, size_bytes, width, height, created_at)
       SELECT 'sha256:' || md5(i::text) || md5((-i)::text), 100000 + i %% 100000, 1280, 960,
              now() - (%(contents)s - i) * (interval '60 days' / %(contents)s)
       FROM generate_series(0, %(contents)s - 1) AS i""",
    """INSERT INTO media (media_id, kind, mime_type, size_bytes, content_key, created_at)
       SELECT 'photo:' || i, CASE WHEN i %% 20 = 0 THEN 'video' ELSE 'photo' END, 'image/jpeg',
              100000, 'sha256:' || md5(i::text) || md5((-i)::text),
              now() - (%(contents)s - i) * (interval '60 days' / %(contents)s)
       FROM generate_series(0, %(contents)s - 1) AS i""",
    """INSERT INTO message_media (chat_no, message_id, media_id)
       SELECT chat_no, message_id,
              'photo:' || CASE WHEN n %% 5 = 4 THEN n * 7919 %% %(contents)s ELSE n * 4 / 5 END
       FROM (SELECT chat_no, message_id, row_number() OVER (ORDER BY sent_at) - 1 AS n
             FROM messages WHERE kind = 'media') AS carrying
       WHERE n * 4 / 5 < %(contents)s""",
    """INSERT INTO faces (face_id, content_key, frame_seconds, x1, y1, x2, y2, landmarks,
                          landmark_schema, detection_score, quality, model, crop_key, created_at)
       SELECT lpad(to_hex(i), 32, '0')::uuid,
              'sha256:' || md5((i * 4 / 5)::text) || md5((-(i * 4 / 5))::text), 0,
              i %% 5 * 200, 10, i %% 5 * 200 + 100, 130, '{1,2,3,4,5,6,7,8,9,10}', 'none', 0.9,
              0.5 + i %% 50 / 100.0, 'benchmark', 'faces/' || md5(i::text) || '.webp',
              now() - (%(faces)s - i) * (interval '60 days' / %(faces)s)
       FROM generate_series(0, %(faces)s - 1) AS i""",
    """INSERT INTO identities (identity_id, number, model, label)
       SELECT lpad(to_hex(i), 32, '0')::uuid, i, 'benchmark',
              CASE WHEN i %% 10 = 0 THEN 'Name ' || i END
       FROM generate_series(1, %(people)s) AS i""",
    # Drawn so that few people have most of the faces; nine of ten faces are somebody's.
    """INSERT INTO assignments (face_id, identity_id, similarity, decided_by, created_at)
       SELECT face_id,
              lpad(to_hex(1 + floor(%(people)s * power(hashtext(face_id::text)
                   / 4294967296.0 + 0.5, 3))::integer), 32, '0')::uuid,
              0.7, 'matcher', created_at
       FROM faces WHERE get_byte(decode(md5(face_id::text), 'hex'), 0) < 230""",
    "SET session_replication_role = DEFAULT",
)

# What a lively day brings: a message in two and a half thousand, with its share of media and
# faces; some were deleted, a person was erased.
_DAY: Final[tuple[LiteralString, ...]] = (
    """INSERT INTO messages (chat_no, message_id, kind, sent_at, sender_id, raw)
       SELECT 1 + i %% 20, %(messages)s / %(chats)s + 1 + i,
              CASE WHEN i %% 5 = 0 THEN 'media' ELSE 'text' END, now(), i %% 100, '{}'
       FROM generate_series(0, %(messages)s / 2500) AS i""",
    """INSERT INTO blobs (content_key, size_bytes)
       SELECT 'sha256:' || md5('new' || i) || md5('day' || i), 100000
       FROM generate_series(0, %(messages)s / 2500, 5) AS i""",
    """INSERT INTO media (media_id, kind, content_key)
       SELECT 'document:' || i, 'photo', 'sha256:' || md5('new' || i) || md5('day' || i)
       FROM generate_series(0, %(messages)s / 2500, 5) AS i""",
    """INSERT INTO message_media (chat_no, message_id, media_id)
       SELECT 1 + i %% 20, %(messages)s / %(chats)s + 1 + i, 'document:' || i
       FROM generate_series(0, %(messages)s / 2500, 5) AS i""",
    """INSERT INTO faces (face_id, content_key, x1, y1, x2, y2, landmarks, landmark_schema,
                          detection_score, quality, model, crop_key)
       SELECT gen_random_uuid(), 'sha256:' || md5('new' || i) || md5('day' || i), 1, 1, 2, 2, '{}',
              'none', 0.9, 0.9, 'benchmark', 'crop'
       FROM generate_series(0, %(messages)s / 2500, 5) AS i""",
    """INSERT INTO assignments (face_id, identity_id, similarity, decided_by)
       SELECT face_id, lpad(to_hex(7), 32, '0')::uuid, 0.7, 'matcher'
       FROM faces WHERE crop_key = 'crop'""",
    "UPDATE messages SET deleted_at = now() WHERE chat_no = 3 AND message_id %% 1000 = 5",
    "DELETE FROM assignments WHERE identity_id = lpad(to_hex(9), 32, '0')::uuid",
    """UPDATE identities SET state = 'erased', label = NULL
       WHERE identity_id = lpad(to_hex(9), 32, '0')::uuid""",
)


@dataclass(frozen=True, slots=True)
class AnalyticsStage:
    """The warehouse after a day, and what building it took.

    Attributes:
        file: The warehouse.
        build_seconds: The first build, of everything.
        day_seconds: The build after a day.
        peak_mb: Most memory of this process and of dbt, each at its worst; PostgreSQL apart.
    """

    file: Path
    messages: int
    faces: int
    people: int
    build_seconds: float
    day_seconds: float
    peak_mb: float


@cache
def analytics_stage(quick: bool) -> AnalyticsStage:  # noqa: FBT001 - every claim's measure has it
    """Fill an archive, build its warehouse, let a day pass and build again."""
    stack = ExitStack()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="face-archive-bench-")))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres")
    stack.callback(server.stop)
    # Last in, first out: while the server's own library has not cleaned up yet.
    atexit.register(stack.close)
    migrate(server.archive_url)
    database = stack.enter_context(Database(server.archive_url))
    messages = MESSAGES // QUICK_PART if quick else MESSAGES
    faces = messages // _MESSAGES_A_FACE
    numbers = {
        "messages": messages,
        "faces": faces,
        "contents": faces * 4 // 5,
        "people": faces // _PEOPLE_PART,
        "chats": _CHATS,
    }
    _run(database, _FILL, numbers)
    with database.session() as connection:
        connection.execute("VACUUM ANALYZE")
    toolbox = Toolbox(Settings.load(None, {"FACE_ARCHIVE_DATA_DIR": str(folder)}), database)
    first = _build(toolbox)
    _run(database, _DAY, numbers)
    day = _build(toolbox)
    return AnalyticsStage(
        warehouse_file(folder), messages, faces, numbers["people"], first, day, _peak_mb()
    )


def _run(
    database: Database, statements: tuple[LiteralString, ...], numbers: dict[str, int]
) -> None:
    with database.session() as connection:
        connection.execute("SET statement_timeout = 0")
        for statement in statements:
            connection.execute(
                statement, numbers if "%(" in statement or "%%" in statement else None
            )


def _build(toolbox: Toolbox) -> float:
    """Materialize the analytics; the seconds that it took."""
    started = perf_counter()
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            [warehouse_snapshots, build_marts()],
            instance=instance,
            resources={"toolbox": toolbox},
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
        )
    return perf_counter() - started


def _peak_mb() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(each).ru_maxrss for each in who) / 1024
