"""Throttling that shows as latency: when it is seen, what follows, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from archive.history.pace import PROBE_AFTER, Pace, Throttle
from archive.ids import AccountId

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def after(pace: Pace, seconds: float, count: int = 100, now: datetime = NOW) -> Pace:
    for _ in range(count):
        pace = pace.after(seconds, now)
    return pace


def usual(seconds: float = 0.1) -> Pace:
    return after(Pace(AccountId(1)), seconds)


def test_the_first_hundred_answers_say_what_is_usual() -> None:
    assert after(Pace(AccountId(1)), 2.0, 99).baseline_seconds is None
    assert usual(2.0).baseline_seconds == 2.0
    assert usual(2.0).slow_since is None


def test_answers_three_times_slower_than_usual_leave_one_request_in_flight() -> None:
    throttle = Throttle(4, usual())
    for _ in range(50):
        throttle.answered(0.31, NOW)
    assert throttle.in_flight() == 4
    throttle.answered(0.31, NOW)
    assert throttle.in_flight() == 1
    assert throttle.pace.resumes_at == NOW + PROBE_AFTER
    assert "310 ms, usual is 100 ms" in after(throttle.pace, 0.31).explain()


def test_it_ends_when_answers_are_fast_again() -> None:
    slow = after(usual(), 1.0)
    assert slow.slow_since is not None
    again = after(slow, 0.1, 51)
    assert again.slow_since is None
    assert again.resumes_at is None


def test_a_slow_hour_does_not_become_the_usual_but_a_slow_day_does() -> None:
    slow = after(usual(), 1.0)
    assert slow.baseline_seconds == usual().baseline_seconds
    later = after(slow, 1.0, 1, NOW + timedelta(hours=25))
    assert (later.slow_since, later.baseline_seconds) == (None, 1.0)


def test_a_line_that_answers_within_a_quarter_second_is_never_slow() -> None:
    assert after(usual(0.002), 0.2).slow_since is None


def test_a_faster_line_is_the_usual_at_once_and_a_slower_one_by_and_by() -> None:
    assert after(usual(0.2), 0.1).baseline_seconds == 0.1
    slower = after(usual(0.1), 0.2).baseline_seconds
    assert slower is not None
    assert 0.1 < slower < 0.12


@given(st.lists(st.floats(0.001, 100), max_size=300))
def test_at_most_a_hundred_answers_are_kept_and_slow_means_there_is_a_usual(
    seconds: list[float],
) -> None:
    pace = Pace(AccountId(1))
    for each in seconds:
        pace = pace.after(each, NOW)
    assert len(pace.newest_seconds) == min(len(seconds), 100)
    assert (pace.baseline_seconds is None) == (len(seconds) < 100)
