from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.faces.sampling import (
    EveryTick,
    FewKeyframes,
    FixedRateSampler,
    GapSampler,
    Group,
    KeyframesAndGaps,
    SamplingPlan,
    SamplingPolicy,
    few_groups,
    latest_up_to,
)


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


def gap_sample(frames: list[tuple[float, bool]], least: float, most: float) -> list[float]:
    sampler: GapSampler[float] = GapSampler(KeyframesAndGaps(least, most))
    return [
        taken
        for seconds, is_keyframe in frames
        for taken in sampler.offer(seconds, seconds, is_keyframe=is_keyframe)
    ]


@pytest.mark.parametrize(
    ("kind", "duration", "ranged", "plan"),
    [
        ("video", 30.0, False, EveryTick(1.0)),
        ("video", 30.1, False, KeyframesAndGaps(1.0, 2.0)),
        ("video", None, False, KeyframesAndGaps(1.0, 2.0)),
        ("round_video", 59.0, False, EveryTick(2.0)),
        ("video", 12.0, True, FewKeyframes(10.0)),
    ],
)
def test_the_plan_follows_from_kind_length_and_source(
    kind: str,
    duration: float | None,
    ranged: bool,  # noqa: FBT001
    plan: SamplingPlan,
) -> None:
    policy = SamplingPolicy()

    assert policy.plan(kind, duration, ranged=ranged) == plan  # type: ignore[arg-type]


def test_keyframes_are_taken_and_long_gaps_between_them_filled() -> None:
    frames = [(n / 10, n in {0, 15, 70}) for n in range(80)]

    assert gap_sample(frames, 1.0, 2.0) == [0.0, 1.5, 3.5, 5.5, 7.0]


def test_a_file_of_keyframes_alone_is_looked_at_no_more_often_than_a_short_one() -> None:
    frames = [(n / 10, True) for n in range(50)]

    assert gap_sample(frames, 1.0, 2.0) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_keyframe_every_2002_milliseconds_leaves_no_gap_to_fill() -> None:
    frames = [(n * 1001 / 30000, n % 60 == 0) for n in range(300)]

    assert len(gap_sample(frames, 1.0, 2.0)) == 5


def test_after_a_hole_in_the_stream_the_next_frame_is_taken() -> None:
    frames = [(0.0, True), (0.5, False), (9.0, False), (9.5, False)]

    assert gap_sample(frames, 1.0, 2.0) == [0.0, 0.5, 9.0]


def test_a_frame_just_past_the_limit_is_taken_where_the_next_comes_much_later() -> None:
    frames = [(0.0, True), (1.0, False), (7.0, False), (9.0, False)]

    assert gap_sample(frames, 1.0, 6.5) == [0.0, 1.0, 7.0]


@given(
    st.lists(st.tuples(st.floats(0, 1e3), st.booleans()), min_size=1),
    st.floats(0.1, 2),
    st.floats(2, 20),
)
def test_no_gap_is_longer_than_allowed_unless_the_stream_has_one(
    frames: list[tuple[float, bool]], least: float, most: float
) -> None:
    frames = sorted(frames)

    taken = gap_sample(frames, least, most)

    assert taken[0] == frames[0][0]
    assert all(later > earlier for earlier, later in pairwise(taken))
    for earlier, later in pairwise(taken):
        between = [time for time, _ in frames if earlier < time < later]
        assert later - earlier <= most * 1.1 + 2e-3 or not between
    assert frames[-1][0] - taken[-1] <= most * 1.1 + 2e-3


def test_of_an_indexed_file_as_few_keyframes_are_chosen_as_reach() -> None:
    keyframes = [0.0, 4.0, 8.0, 12.0, 16.0, 20.0]

    chosen = list(few_groups(keyframes, 22.0, 10.0))

    assert chosen == [Group(0.0), Group(8.0), Group(16.0)]


def test_gaps_between_indexed_keyframes_are_filled_from_the_keyframe_before() -> None:
    chosen = list(few_groups([0.0, 35.0], 45.0, 10.0))

    assert chosen == [Group(0.0, (10.0, 20.0, 30.0)), Group(35.0)]


def test_an_index_that_lies_about_years_asks_for_its_keyframes_only() -> None:
    assert list(few_groups([0.0], 1e12, 10.0)) == [Group(0.0)]


@given(st.lists(st.floats(0, 1e4), min_size=1, unique=True), st.floats(0, 100), st.floats(0.5, 60))
def test_sights_leave_no_gap_and_follow_each_other(
    keyframes: list[float], tail: float, most: float
) -> None:
    keyframes = sorted(keyframes)
    end = keyframes[-1] + tail

    groups = list(few_groups(keyframes, end, most))
    times = [time for each in groups for time in (each.keyframe_seconds, *each.fills)]

    assert all(later > earlier for earlier, later in pairwise(times))
    assert all(b - a <= most * 1.1 + 1e-6 for a, b in pairwise([*times, end]))


def test_the_latest_frame_up_to_each_time_is_given_after_the_first() -> None:
    frames = [0.0, 0.9, 2.1, 2.9, 3.1, 9.0]

    assert list(latest_up_to(frames, [1.0, 3.0, 4.0], float)) == [0.0, 0.9, 2.9, 3.1]
