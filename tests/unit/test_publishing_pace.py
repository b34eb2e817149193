from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator

import pytest

from archive.budgets import AskedToWait, Permit
from archive.publishing import BudgetPace


class Answers:
    """A budget that says what it is told to say."""

    def __init__(self, permits: Iterable[Permit]) -> None:
        self._permits: Iterator[Permit] = iter(permits)
        self.told: list[float] = []

    def take(self, requests: int) -> Permit:
        assert requests == 1
        return next(self._permits)

    def flooded(self, method: str, seconds: float) -> None:
        self.told.append(seconds)


class Waits(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def pace(answers: Answers, slept: Waits, shown: list[float]) -> BudgetPace:
    return BudgetPace(answers, flood_sleep_limit_seconds=30, on_wait=shown.append, sleep=slept)


async def test_a_write_waits_for_its_turn() -> None:
    slept, shown = Waits(), list[float]()
    await pace(Answers([Permit(0, 3.3)]), slept, shown)()
    assert (slept, shown) == ([3.3], [])


async def test_what_telegram_asked_for_is_slept_visibly_and_then_asked_again() -> None:
    slept, shown = Waits(), list[float]()
    await pace(Answers([Permit(20, 0), Permit(0, 1.5)]), slept, shown)()
    assert (slept, shown) == ([20, 1.5], [20])


@pytest.mark.parametrize("permits", [[31.0], [20.0, 11.0]])
async def test_a_longer_wait_ends_the_run_and_says_how_long(permits: list[float]) -> None:
    answers = Answers(Permit(seconds, 0) for seconds in permits)
    with pytest.raises(AskedToWait) as raised:
        await pace(answers, Waits(), [])()
    assert raised.value.retry_after_seconds == permits[-1]


async def test_a_wait_that_telegram_asks_for_is_told_to_all_who_write_there() -> None:
    answers = Answers([])
    await pace(answers, Waits(), []).asked_to_wait(AskedToWait("slow mode", 60))
    assert answers.told == [60]


def test_a_wait_survives_the_way_between_processes() -> None:
    wait = pickle.loads(pickle.dumps(AskedToWait("slow mode", 60)))
    assert (str(wait), wait.retry_after_seconds) == ("slow mode", 60)
