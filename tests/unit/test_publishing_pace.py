from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archive.publishing import MinutePace


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


async def test_a_small_plan_runs_without_any_wait() -> None:
    clock = Clock()
    pace = MinutePace(18, clock=clock, sleep=clock.sleep)
    for _ in range(18):
        await pace()
    assert clock.seconds == 0.0


@given(
    rate=st.integers(1, 20), pauses=st.lists(st.floats(0, 90, width=16), min_size=1, max_size=60)
)
async def test_no_minute_holds_more_operations_than_allowed(rate: int, pauses: list[float]) -> None:
    clock = Clock()
    pace = MinutePace(rate, clock=clock, sleep=clock.sleep)
    times = []
    for pause in pauses:
        clock.seconds += pause
        await pace()
        times.append(clock.seconds)
    pairs = zip(times, times[rate:], strict=False)
    assert all(later - earlier >= 60.0 - 1e-6 for earlier, later in pairs)
