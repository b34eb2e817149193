"""Pages in flight: none lost, none twice, in order, and no more at a time than allowed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Transient
from archive.history.pages import Answer, Asked, PagesAhead
from archive.ids import MessageId
from archive.records import Page
from tests.fakes.telegram import EPOCH, a_message, arrival_of

ids_of_a_chat = st.one_of(
    st.sets(st.integers(1, 12_000), max_size=400),
    st.integers(1, 3_000).map(lambda top: set(range(1, top + 1))),
    st.sets(st.integers(1, 2**31 - 2), max_size=300),
)

# Right, wrong by far, and none at all.
guesses = st.sampled_from([None, 100.0, 1.0, 1e6])


class Line:
    """Answers out of order, each page perhaps cut short, and counts what is under way."""

    def __init__(
        self, ids: Sequence[int], seed: int = 0, cuts: Sequence[int] = (), fails_at: int = 0
    ) -> None:
        self.newest_first = sorted(ids, reverse=True)
        self.asked: list[int] = []
        self.at_a_time: list[int] = []
        self.asked_when_it_failed = 0
        self._under_way = 0
        self._cuts = iter(cuts)
        self._fails_at = fails_at
        self._random = random.Random(seed)

    async def __call__(self, below: MessageId) -> Asked:
        self.asked.append(below)
        number = len(self.asked)
        self._under_way += 1
        self.at_a_time.append(self._under_way)
        for _ in range(self._random.randint(0, 5)):
            await asyncio.sleep(0)
        self._under_way -= 1
        if number == self._fails_at:
            self.asked_when_it_failed = len(self.asked)
            raise Transient("the connection broke")
        length = next(self._cuts, 100)
        found = [one for one in self.newest_first if one < below][:length]
        return Asked(arrival_of(Page(tuple(map(a_message, found)))), EPOCH)


def read(
    line: Line,
    top: int,
    floor: int = 1,
    in_flight: Callable[[], int] = lambda: 2,
    guess: float | None = None,
) -> tuple[list[Answer], BaseException | None]:
    answers: list[Answer] = []

    async def collect() -> None:
        ahead = PagesAhead(
            line,
            top=MessageId(top),
            floor=MessageId(floor),
            in_flight=in_flight,
            ids_per_page=guess,
            pause_seconds=0,
        )
        async with ahead as pages:
            async for answer in pages:
                answers.append(answer)

    try:
        asyncio.run(collect())
    except Transient as error:
        return answers, error
    return answers, None


def brought(answers: Sequence[Answer]) -> list[int]:
    """What a store would keep: of each page the messages that it owns."""
    return [message.message_id for answer in answers for message in answer.messages]


@given(
    ids=ids_of_a_chat,
    cuts=st.lists(st.integers(1, 100), max_size=20),
    seed=st.integers(0, 9),
    in_flight=st.integers(1, 6),
    floor=st.integers(1, 500),
    guess=guesses,
)
def test_every_message_comes_once_newest_first_and_the_pages_join_without_a_gap(
    ids: set[int], cuts: list[int], seed: int, in_flight: int, floor: int, guess: float | None
) -> None:
    line = Line(sorted(ids), seed, cuts)
    top = max(ids, default=0) + 1 + floor

    answers, failure = read(line, top, floor, lambda: in_flight, guess)

    assert failure is None
    assert brought(answers) == [one for one in line.newest_first if one >= floor]
    ends = [top, *(answer.first for answer in answers)]
    assert [answer.last + 1 for answer in answers] == ends[:-1]
    assert ends[-1] == floor
    assert max(line.at_a_time, default=0) <= in_flight


@given(
    top=st.integers(1, 4_000),
    seed=st.integers(0, 9),
    in_flight=st.integers(1, 6),
    fails_at=st.integers(1, 40),
    guess=guesses,
)
def test_a_failure_comes_after_every_page_above_it_and_ends_the_asking(
    top: int, seed: int, in_flight: int, fails_at: int, guess: float | None
) -> None:
    line = Line(range(1, top + 1), seed, fails_at=fails_at)

    answers, failure = read(line, top + 1, 1, lambda: in_flight, guess)

    if len(line.asked) < fails_at:
        assert failure is None
        return
    assert isinstance(failure, Transient)
    assert brought(answers) == list(range(top, top - len(brought(answers)), -1))
    # Others may come in the same turn of the loop, each of which asks once more.
    assert len(line.asked) < line.asked_when_it_failed + in_flight


@pytest.mark.parametrize("guess", [None, 100.0])
@pytest.mark.parametrize("in_flight", [1, 2, 4, 8])
def test_a_dense_window_costs_no_request_more_than_one_page_after_another(
    in_flight: int, guess: float | None
) -> None:
    line = Line(range(1, 10_001))

    answers, _ = read(line, 10_001, in_flight=lambda: in_flight, guess=guess)

    assert len(line.asked) == 100
    assert len(brought(answers)) == 10_000
    assert max(line.at_a_time) == in_flight


@pytest.mark.parametrize("in_flight", [2, 4])
def test_a_window_with_a_third_of_its_messages_gone_costs_a_sixth_more_at_most(
    in_flight: int,
) -> None:
    ids = random.Random(5).sample(range(1, 10_001), 6_700)
    line = Line(ids)

    read(line, 10_001, in_flight=lambda: in_flight)

    assert len(line.asked) <= 67 * 7 / 6 + in_flight


def test_a_page_that_reaches_the_floor_is_the_only_one() -> None:
    line = Line(range(1, 60))

    read(line, 10_001, in_flight=lambda: 4)

    assert line.asked == [10_001]


def test_pages_in_flight_start_together_where_it_is_known_how_densely_messages_lie() -> None:
    line = Line(range(1, 1_001))
    together = asyncio.Barrier(2)

    async def answered_in_pairs(below: MessageId) -> Asked:
        await together.wait()
        return await line(below)

    async def collect() -> int:
        ahead = PagesAhead(
            answered_in_pairs,
            top=MessageId(1_001),
            floor=MessageId(1),
            in_flight=lambda: 2,
            ids_per_page=100,
        )
        async with asyncio.timeout(10), ahead as pages:
            return sum([len(answer.messages) async for answer in pages])

    assert asyncio.run(collect()) == 1_000


@pytest.mark.parametrize("in_flight", [1, 2, 4])
def test_where_nothing_is_although_much_was_expected_nothing_more_is_asked_than_was_under_way(
    in_flight: int,
) -> None:
    line = Line([])

    read(line, 10_001, in_flight=lambda: in_flight, guess=100)

    assert len(line.asked) == in_flight


def test_a_limit_that_falls_to_one_is_kept_from_the_next_request_on() -> None:
    line = Line(range(1, 3_001))

    answers, _ = read(line, 3_001, in_flight=lambda: 4 if len(line.asked) < 10 else 1)

    assert brought(answers) == line.newest_first
    assert max(line.at_a_time[:10]) == 4
    assert set(line.at_a_time[10:]) == {1}


def test_a_slow_consumer_does_not_let_pages_pile_up() -> None:
    line = Line(range(1, 100_001))

    async def take_one() -> int:
        ahead = PagesAhead(line, top=MessageId(100_001), floor=MessageId(1), in_flight=lambda: 4)
        async with ahead as pages:
            async for _ in pages:
                for _ in range(2_000):
                    await asyncio.sleep(0)
                break
        return len(line.asked)

    assert asyncio.run(take_one()) < 100


def test_a_page_with_nothing_below_its_bound_is_refused() -> None:
    async def stuck(below: MessageId) -> Asked:
        return Asked(arrival_of(Page((a_message(below),))), EPOCH)

    async def collect() -> None:
        async with PagesAhead(stuck, top=MessageId(50), floor=MessageId(1)) as pages:
            async for _ in pages:
                pass

    with pytest.raises(Transient, match="newer than"):
        asyncio.run(collect())
