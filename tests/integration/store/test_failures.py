"""Files that fail: tried again after hours, given up in the end, and then a person's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from archive.errors import ItemRejected, Transient
from archive.ids import MediaId
from archive.ledger import Product, State
from resources.store.database import Database
from resources.store.media_failures import Failure, FailureState, FailureStore
from tests.fakes.media import MODEL, FakeVision, World, newer

PHOTO = MediaId("document:7")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """One chat with one photo that cannot be fetched."""
    world = World(database, tmp_path)
    world.send(7, b"faces=1")
    world.source.script[PHOTO] = Transient("cut off")
    return world


def failures(world: World) -> list[Failure]:
    return FailureStore(world.database).list()


def letters(world: World) -> list[dict[str, object]]:
    return world.run("SELECT media_id, reason, error, attempts FROM failures")


async def give_up(world: World) -> None:
    while True:
        result = await world.pass_over()
        if result.retry_at is None:
            return
        world.now = result.retry_at


async def test_a_failure_says_why_how_often_and_when_it_is_tried_again(world: World) -> None:
    result = await world.pass_over()

    (failure,) = failures(world)

    assert (failure.state, failure.reason, failure.error) == (
        FailureState.WAITING,
        "transient",
        "cut off",
    )
    assert (failure.attempts, failure.retry_at) == (1, result.retry_at)
    assert (failure.chat_no, failure.message_id) == (1, 7)
    assert letters(world) == []


async def test_a_file_that_keeps_failing_becomes_a_dead_letter_and_its_window_is_done(
    world: World,
) -> None:
    await give_up(world)
    world.now += timedelta(days=365)

    later = await world.pass_over()

    assert len(world.source.fetched) == 6
    assert later.complete
    assert later.count(Product.FACES, State.FAILED, "transient") == 1
    assert letters(world) == [
        {"media_id": PHOTO, "reason": "transient", "error": "cut off", "attempts": 6}
    ]
    (failure,) = failures(world)
    assert failure.state is FailureState.GIVEN_UP
    assert failure.retry_at is None


async def test_a_dead_letter_that_is_retried_and_comes_is_no_failure_any_more(
    world: World,
) -> None:
    await give_up(world)
    FailureStore(world.database).retry([PHOTO])
    assert letters(world) == []
    del world.source.script[PHOTO]

    result = await world.pass_over()

    assert result.complete
    assert failures(world) == []
    assert set(world.ledger().values()) == {"done"}


async def test_a_retried_file_has_all_its_attempts_again(world: World) -> None:
    await give_up(world)
    FailureStore(world.database).retry([PHOTO])

    await give_up(world)

    assert len(world.source.fetched) == 12
    assert [letter["attempts"] for letter in letters(world)] == [6]


async def test_an_ignored_file_is_left_alone_even_by_a_new_model(world: World) -> None:
    await world.pass_over()
    FailureStore(world.database).ignore([PHOTO])
    world.now += timedelta(days=1)

    result = await world.pass_over(vision=FakeVision(newer(MODEL, "2")))

    assert result.complete
    assert len(world.source.fetched) == 1
    (failure,) = failures(world)
    assert (failure.state, failure.reason, failure.error) == (
        FailureState.IGNORED,
        "transient",
        "cut off",
    )


async def test_an_ignored_file_can_be_taken_back(world: World) -> None:
    await give_up(world)
    FailureStore(world.database).ignore([PHOTO])
    FailureStore(world.database).retry([PHOTO])
    del world.source.script[PHOTO]

    assert (await world.pass_over()).complete
    assert failures(world) == []
    assert letters(world) == []


async def test_a_new_model_opens_a_dead_letter_by_itself(world: World) -> None:
    await give_up(world)

    await world.pass_over(vision=FakeVision(newer(MODEL, "2")))

    (failure,) = failures(world)
    assert (failure.state, failure.attempts) == (FailureState.WAITING, 1)
    assert letters(world) == []


async def test_a_failed_file_that_turns_out_to_be_gone_is_a_skip(world: World) -> None:
    await world.pass_over()
    world.source.script[PHOTO] = ItemRejected("gone")
    world.now += timedelta(days=1)

    await world.pass_over()

    assert failures(world) == []
    assert set(world.ledger().values()) == {"skipped(gone)"}


async def test_what_no_live_message_shows_is_nobodys_failure(world: World) -> None:
    await world.pass_over()
    world.run("UPDATE messages SET deleted_at = now()")

    assert failures(world) == []
