"""`topics.plan`: how long it takes to say what is to be done to a large hub, database included.

Ten thousand people with ten pictures each, none of them in the hub: every operation is due, which
is the longest plan there is. The bar is absolute; nobody else plans a hub.
"""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime
from time import perf_counter
from typing import Final, LiteralString

import numpy as np

from archive.ids import ChatNo
from archive.publishing import Plan, plan
from archive.publishing.seating import RoomLimits
from benchmarks.claims import PAIRS, Measurement, claim
from benchmarks.identity_store import filled_store
from resources.store.database import Database
from resources.store.topics import TopicStore

PICTURES_EACH: Final = 10
MOST_MB: Final = 500
_HUB_CHAT: Final = ChatNo(999)

_PREPARE: Final[tuple[LiteralString, ...]] = (
    "UPDATE chats SET allow_publish = true",
    "UPDATE blobs SET phash = hashtextextended(content_key, 0)",
    """INSERT INTO chats (chat_no, chat_id, kind, id_space, account_id, title, is_forum, is_hub)
       VALUES (999, -1000000000999, 'supergroup', 'own', 1, 'People', true, true)""",
    "ANALYZE",
)

# All of them in one hub, although no hub takes so many: the more, the harder.
_NO_LIMITS = RoomLimits(topics=sys.maxsize, messages=sys.maxsize)


@claim(
    "topics.plan",
    title="Planning a hub of ten thousand people with ten pictures each, database included",
    unit="s",
    bar=3.0,
    better="lower",
    absolute=True,
)
def plan_a_large_hub(quick: bool) -> Measurement:  # noqa: FBT001 - every claim's measure
    """Plan some times; the whole process must stay within its memory."""
    people = 1_000 if quick else 10_000
    faces = people * PICTURES_EACH
    vectors = np.zeros((faces, 2), np.float32)
    vectors[:, 0] = 1.0
    with filled_store(vectors, np.arange(faces) // PICTURES_EACH + 1) as database:
        store, took = _prepared(database), []
        hub = store.use(_HUB_CHAT)
        for _ in range(PAIRS):
            started = perf_counter()
            drawn = plan(store, hub, now=datetime.now(UTC), room_limits=_NO_LIMITS)
            took.append(perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if peak > MOST_MB:
        raise AssertionError(f"planning took {peak} MB, {MOST_MB} are allowed")
    return Measurement(tuple(took), (), _detail(drawn, people, faces, peak))


def _prepared(database: Database) -> TopicStore:
    with database.session() as connection:
        for statement in _PREPARE:
            connection.execute(statement)
    return TopicStore(database)


def _detail(drawn: Plan, people: int, faces: int, peak_mb: int) -> str:
    return (
        f"{people} people, {faces} pictures, {len(drawn.operations)} operations, "
        f"{drawn.minutes(18) / 60:.0f} h at 18 a minute, peak {peak_mb} MB"
    )
