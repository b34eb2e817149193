from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.faces.sampling import FixedRateSampler


def sample(times: list[float], rate: float) -> list[float]:
    sampler = FixedRateSampler(rate)
    return [time for time in times if sampler.wants(time)]


def test_the_clock_starts_at_the_first_frame() -> None:
    times = [0.852 + i * 1001 / 29970 for i in range(275)]

    taken = sample(times, 1.0)

    assert [round(time) for time in taken] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert taken[0] == 0.852


def test_every_frame_is_taken_when_the_rate_is_the_video_s_own() -> None:
    times = [i / 25 for i in range(100)]

    assert sample(times, 25.0) == times


def test_a_gap_gives_one_frame_not_one_for_each_missed_tick() -> None:
    assert sample([0.0, 0.5, 7.3, 7.4, 8.1], 1.0) == [0.0, 7.3, 8.1]


def test_time_running_backwards_takes_nothing_twice() -> None:
    assert sample([0.0, 1.0, 0.2, 1.0, 2.0], 1.0) == [0.0, 1.0, 2.0]


@given(st.lists(st.floats(0, 1e4), min_size=1), st.floats(0.1, 30))
def test_the_last_stretch_is_sampled_as_the_first(gaps: list[float], rate: float) -> None:
    times = sorted(gaps)

    taken = sample(times, rate)

    assert taken[0] == times[0]
    assert times[-1] - taken[-1] <= 1 / rate + 1e-3
    assert all(later > earlier for earlier, later in pairwise(taken))


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        FixedRateSampler(0.0)
