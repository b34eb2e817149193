"""Links between contents that look alike, on a real store."""

import hashlib

import pytest

from archive.ids import ContentKey, content_key
from archive.near_copies import HashedContent, NearCopy, link_near_copies
from resources.store.database import Database
from resources.store.near_copies import NearCopies


@pytest.fixture
def copies(database: Database) -> NearCopies:
    with database.transaction() as connection:
        connection.execute("TRUNCATE blobs CASCADE")
    return NearCopies(database)


def store(
    database: Database, name: str, phash: int | None, *, seconds: float | None = None
) -> ContentKey:
    sha256 = hashlib.sha256(name.encode()).digest()
    key = content_key(sha256)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO blobs (content_key, sha256, phash, size_bytes, duration_seconds)"
            " VALUES (%s, %s, %s, 1, %s)"
            " ON CONFLICT (content_key) DO UPDATE SET phash = EXCLUDED.phash",
            (key, sha256, phash, seconds),
        )
    return key


def others(database: Database, key: ContentKey) -> dict[ContentKey, int]:
    with database.transaction() as connection:
        links = connection.execute(
            "SELECT first_key, second_key, bits FROM near_copies"
            " WHERE first_key = %(key)s OR second_key = %(key)s",
            {"key": key},
        ).fetchall()
    return {second if first == key else first: bits for first, second, bits in links}


def test_what_looks_alike_is_linked_with_its_distance(
    database: Database, copies: NearCopies
) -> None:
    sent = store(database, "sent", -1)
    smaller = store(database, "smaller", -1 ^ 0b111)
    store(database, "another", 0x5555)

    assert link_near_copies(copies) == 1

    assert others(database, sent) == {smaller: 3}
    assert others(database, smaller) == {sent: 3}


def test_what_comes_later_is_linked_to_what_is_there(
    database: Database, copies: NearCopies
) -> None:
    old = store(database, "old", 77)
    link_near_copies(copies)
    new = store(database, "new", 77)

    link_near_copies(copies)

    assert others(database, new) == {old: 0}
    assert link_near_copies(copies) == 0
    assert others(database, old) == {new: 0}


def test_a_photo_and_a_video_are_never_linked(database: Database, copies: NearCopies) -> None:
    photo = store(database, "photo", 5)
    store(database, "video", 5, seconds=3.0)

    link_near_copies(copies)

    assert others(database, photo) == {}


def test_another_hash_makes_other_links(database: Database, copies: NearCopies) -> None:
    one, two = store(database, "one", 0), store(database, "two", 0)
    link_near_copies(copies)
    store(database, "two", -1)

    link_near_copies(copies)

    assert others(database, one) == others(database, two) == {}


def test_a_content_without_a_picture_is_linked_to_nothing(
    database: Database, copies: NearCopies
) -> None:
    store(database, "blind", None)

    assert link_near_copies(copies) == 0
    assert copies.unlinked() == []


def test_pictures_of_nothing_are_linked_to_the_nearest_few(
    database: Database, copies: NearCopies
) -> None:
    keys = [store(database, f"black {n}", 0) for n in range(150)]

    link_near_copies(copies)

    assert len(others(database, keys[0])) >= 100
    assert copies.unlinked() == []


def test_what_was_erased_meanwhile_is_linked_to_nothing(
    database: Database, copies: NearCopies
) -> None:
    one = store(database, "one", 1)
    gone = content_key(bytes(32))

    copies.link([HashedContent(one, 1, is_video=False)], [NearCopy.of(one, gone, 0)])

    assert others(database, one) == {}
