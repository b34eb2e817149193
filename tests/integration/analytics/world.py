"""A made archive with everything in it that a mart has to count right, drawn from a seed.

Two chats with faces, one of them what a basic group became; a chat without faces; one that keeps
what is deleted; a hub. Albums, forwards, a message with one content twice, deletions, service
messages; people who are hidden, merged, erased, taken back, and a face that is none.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from psycopg import Connection

FAMILY, CLUB, WORK, OLD_GROUP, HUB = 11, 22, 33, 44, 55
NOW = datetime.now(UTC).replace(microsecond=0)
_MODEL = "made"
_STATES = ("visible",) * 6 + ("hidden", "erased", "withdrawn")
_KINDS = ("photo", "photo", "photo", "image_document", "video", "round_video", "gif", "document")


@dataclass
class World:
    """What was put in, where a test has to name it."""

    people: list[UUID] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    media: dict[str, str] = field(default_factory=dict)


def fill(connection: Connection, seed: int = 5) -> World:
    """Put the whole world into an empty archive."""
    rng, world = random.Random(seed), World()
    _chats(connection)
    _people(connection, rng, world)
    _contents(connection, rng, world)
    _messages(connection, rng, world)
    _rest(connection, world)
    return world


def _chats(connection: Connection) -> None:
    connection.execute("INSERT INTO accounts (account_id, name) VALUES (1, 'Mia')")
    connection.execute(
        "INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)"
        " VALUES (%s, 'insightface', 'none', true, 4, '{}')",
        (_MODEL,),
    )
    for number, title, kind, faces, on_deletion in (
        (FAMILY, 'The "family", home', "supergroup", True, "hide"),
        (CLUB, "Rowing\nclub 🚣", "supergroup", True, "keep"),
        (WORK, "Work", "channel", False, "hide"),
        (OLD_GROUP, "The family before", "basic_group", True, "hide"),
        (HUB, "People", "supergroup", False, "hide"),
    ):
        space = "account" if kind == "basic_group" else "own"
        connection.execute(
            "INSERT INTO chats (chat_no, chat_id, account_id, kind, id_space, title, is_hub,"
            " allow_archive, allow_faces, on_deletion, added_at)"
            " VALUES (%s, %s, 1, %s, %s, %s, %s, %s, %s, %s, now())",
            (number, -number, kind, space, title, number == HUB, number != HUB, faces, on_deletion),
        )
    connection.execute("UPDATE chats SET migrated_to = %s WHERE chat_no = %s", (FAMILY, OLD_GROUP))
    for chat_no, first, read, dirty in (
        (FAMILY, 1, True, False),
        (FAMILY, 101, True, True),
        (FAMILY, 201, False, False),
        (CLUB, 1, True, False),
        (OLD_GROUP, 1, True, False),
    ):
        connection.execute(
            "INSERT INTO windows (window_key, chat_no, first_id, last_id, read_at, dirty)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                f"{chat_no}_{first:010}_{first + 99:010}",
                chat_no,
                first,
                first + 99,
                NOW if read else None,
                dirty,
            ),
        )


def _people(connection: Connection, rng: random.Random, world: World) -> None:
    for number, state in enumerate([*_STATES, "merged"], start=1):
        person = UUID(int=rng.getrandbits(128), version=4)
        world.people.append(person)
        named = state == "visible" and number % 2
        connection.execute(
            "INSERT INTO identities (identity_id, number, model, label, state, merged_into)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                person,
                number,
                _MODEL,
                f"Ms. No, {number}" if named else None,
                state,
                world.people[0] if state == "merged" else None,
            ),
        )


def _contents(connection: Connection, rng: random.Random, world: World) -> None:
    for number in range(120):
        key = f"sha256:{rng.getrandbits(256):064x}"
        media_id = f"photo:{number}"
        kind = rng.choice(_KINDS)
        made_at = NOW - timedelta(days=number % 7)
        world.contents.append(key)
        world.media[media_id] = key
        connection.execute(
            "INSERT INTO blobs (content_key, size_bytes, width, height, duration_seconds,"
            " created_at) VALUES (%s, %s, 10, 10, %s, %s)",
            (key, rng.randint(1, 10**7), 2.5 if "video" in kind else None, made_at),
        )
        connection.execute(
            "INSERT INTO media (media_id, kind, mime_type, size_bytes, content_key, created_at)"
            " VALUES (%s, %s, %s, 7, %s, %s)",
            (media_id, kind, rng.choice(["image/jpeg", "", None]), key, made_at),
        )
        for _ in range(rng.choice((0, 1, 1, 2, 3, 4))):
            _face(connection, rng, world, key, made_at)
    # Not looked at yet.
    connection.execute("INSERT INTO media (media_id, kind) VALUES ('photo:900', 'photo')")
    # The same bytes under two of Telegram's names.
    connection.execute(
        "INSERT INTO media (media_id, kind, content_key) VALUES ('document:901', 'video', %s)",
        (world.contents[0],),
    )


def _face(
    connection: Connection, rng: random.Random, world: World, key: str, made_at: datetime
) -> None:
    face = UUID(int=rng.getrandbits(128), version=4)
    left = rng.random() * 1000
    connection.execute(
        "INSERT INTO faces (face_id, content_key, x1, y1, x2, y2, landmarks, landmark_schema,"
        " detection_score, quality, model, crop_key, created_at)"
        " VALUES (%s, %s, %s, 1, %s, 3, '{}', 'none', 0.9, %s, %s, 'crop', %s)",
        (face, key, left, left + 1, float(np.float32(rng.random())), _MODEL, made_at),
    )
    if rng.random() < 0.85:
        connection.execute(
            "INSERT INTO assignments (face_id, identity_id, similarity, decided_by, created_at)"
            " VALUES (%s, %s, 0.5, 'matcher', %s)",
            (face, rng.choice(world.people), made_at),
        )
    if rng.random() < 0.05:
        connection.execute(
            "INSERT INTO suppressed_regions (face_id, content_key, frame_seconds, x1, y1, x2, y2)"
            " VALUES (%s, %s, 0, 1, 1, 2, 2)",
            (face, key),
        )


def _messages(connection: Connection, rng: random.Random, world: World) -> None:
    media = sorted(world.media)
    for chat_no, count in ((FAMILY, 250), (CLUB, 80), (WORK, 40), (OLD_GROUP, 30), (HUB, 10)):
        for message_id in range(1, count + 1):
            sent_at = NOW - timedelta(hours=(count - message_id) * 14 + 1)
            kind = rng.choice(("text", "media", "media", "media", "service"))
            connection.execute(
                "INSERT INTO messages (chat_no, message_id, kind, sent_at, deleted_at, sender_id,"
                " grouped_id, text, raw) VALUES (%s, %s, %s, %s, %s, %s, %s, 'not to be seen', %s)",
                (
                    chat_no,
                    message_id,
                    kind,
                    sent_at,
                    NOW if rng.random() < 0.1 else None,
                    rng.choice((None, 7, 8, 9)),
                    # Runs of messages are albums; the same number in another chat is another one.
                    message_id // 4 if message_id % 8 < 4 and kind == "media" else None,
                    "{}",
                ),
            )
            if kind == "media":
                _carry(connection, chat_no, message_id, rng.choice(media))
    last = connection.execute(
        "SELECT max(message_id) FROM messages WHERE chat_no = %s AND kind = 'media'"
        " AND deleted_at IS NULL",
        (FAMILY,),
    ).fetchone()
    assert last
    for media_id in ("photo:0", "document:901", "photo:900"):
        _carry(connection, FAMILY, last[0], media_id)


def _carry(connection: Connection, chat_no: int, message_id: int, media_id: str) -> None:
    connection.execute(
        "INSERT INTO message_media (chat_no, message_id, media_id) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (chat_no, message_id, media_id),
    )


def _rest(connection: Connection, world: World) -> None:
    for number, ignored in ((1, None), (2, None), (3, NOW), (900, None)):
        connection.execute(
            "INSERT INTO failures (media_id, reason, error, attempts, ignored_at)"
            " VALUES (%s, 'gone', 'not there', 3, %s)",
            (f"photo:{number}", ignored),
        )
    for first, second in ((1, 2), (3, 4), (5, 6), (7, 8)):
        low, high = sorted((world.contents[first], world.contents[second]))
        connection.execute(
            "INSERT INTO near_copies (first_key, second_key, bits) VALUES (%s, %s, 3)", (low, high)
        )
    connection.execute("UPDATE chats SET window_width = 10000 WHERE id_space = 'own'")
    for chat_no, message_id, change, minutes in (
        (FAMILY, 5, "gap", 30),
        (FAMILY, 150, "edited", 20),
        (CLUB, 81, "new", 10),
    ):
        connection.execute(
            "INSERT INTO inbox (chat_no, message_id, change, created_at) VALUES (%s, %s, %s, %s)",
            (chat_no, message_id, change, NOW - timedelta(minutes=minutes)),
        )
