"""Which frames of a video are looked at.

Policies without a decoder: which plan a video gets, and the rules that the plans are made of.
Frames come in order of their times. How packets become frames is `resources.vision.video`'s; why
the figures are what they are stands in `docs/faces.md`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Final, Generic, TypeVar

from archive.faces.records import PictureKind

T = TypeVar("T")

# Up to this length every tick is decoded; of longer videos keyframes are, and gaps filled.
SHORT_SECONDS: Final = 30.0

# How much longer than its limit a gap may be before it is filled. Encoders set a keyframe every so
# many frames: "every 2 s" are 2.002 s at 29.97 frames a second, x264's 250 frames are 10.4 s of a
# film. Strictly read, each of their gaps would be filled, which costs ten times as much.
_TOLERANCE: Final = 1.1
_IN_HAND: Final = 2

# A group of pictures of a day: what says it is longer is a damaged index.
_MOST_FILLS: Final = 100_000

# Frame times are rational in the file and float here: a frame a hair early is on time.
_SLACK_SECONDS: Final = 1e-3


@dataclass(frozen=True, slots=True)
class EveryTick:
    """A frame at each tick of a clock.

    Attributes:
        frames_per_second: Above 0.
    """

    frames_per_second: float


@dataclass(frozen=True, slots=True)
class KeyframesAndGaps:
    """Every keyframe, but none sooner than `least_gap`, and frames in between where it is long.

    Attributes:
        least_gap: Seconds; a file of nothing but keyframes is not looked at more often.
        most_gap: Seconds; a longer gap is filled.
    """

    least_gap: float
    most_gap: float


@dataclass(frozen=True, slots=True)
class FewKeyframes:
    """As few keyframes as keep every gap within `most_gap`; what needs the fewest bytes.

    Attributes:
        most_gap: Seconds; a longer gap between two keyframes is filled.
    """

    most_gap: float


SamplingPlan = EveryTick | KeyframesAndGaps | FewKeyframes


@dataclass(frozen=True, slots=True)
class SamplingPolicy:
    """How often videos are looked at.

    Attributes:
        short_rate: Frames a second of videos up to `SHORT_SECONDS`, above 0; also the most often
            that a keyframe of a longer one is looked at.
        round_rate: The same for round videos, however long.
        max_gap_seconds: Longest time of a longer video that is not looked at.
        max_gap_seconds_ranged: The same of a file that is read only in ranges.
    """

    short_rate: float = 1.0
    round_rate: float = 2.0
    max_gap_seconds: float = 2.0
    max_gap_seconds_ranged: float = 10.0

    def plan(
        self, kind: PictureKind, duration_seconds: float | None, *, ranged: bool = False
    ) -> SamplingPlan:
        """Say how one video is sampled.

        Args:
            kind: What Telegram calls it.
            duration_seconds: Its length; None where nobody knows, which counts as long.
            ranged: Whether each byte of it costs a request.
        """
        if ranged:
            return FewKeyframes(self.max_gap_seconds_ranged)
        if kind == "round_video":
            return EveryTick(self.round_rate)
        if duration_seconds is not None and duration_seconds <= SHORT_SECONDS:
            return EveryTick(self.short_rate)
        return KeyframesAndGaps(1.0 / self.short_rate, self.max_gap_seconds)


class FixedRateSampler:
    """Takes the first frame at or after each tick, over the whole length.

    The clock starts at the first frame shown, which need not be at 0. After a gap in the stream
    one frame is taken, not one for every missed tick.
    """

    def __init__(self, frames_per_second: float) -> None:
        """Set the rate.

        Args:
            frames_per_second: Above 0.

        Raises:
            ValueError: The rate is not above 0.
        """
        if not frames_per_second > 0:
            raise ValueError("frames_per_second must be above 0")
        self._period = 1.0 / frames_per_second
        self._slack = min(_SLACK_SECONDS, self._period / 100)
        self._start: float | None = None
        self._last_tick = -1

    def wants(self, frame_seconds: float) -> bool:
        """Decide about the next frame.

        Args:
            frame_seconds: Its presentation time; a time before an earlier one is never taken.
        """
        if self._start is None:
            self._start = frame_seconds
        tick = int((frame_seconds - self._start + self._slack) / self._period)
        if tick <= self._last_tick:
            return False
        self._last_tick = tick
        return True


class GapSampler(Generic[T]):
    """Takes keyframes, and the last frame before a gap would grow too long.

    Keeps two frames in hand at most: the one to take if nothing better comes in time, and the
    first one past the limit, which is next if then still nothing has come.
    """

    def __init__(self, plan: KeyframesAndGaps) -> None:
        """Begin a video; its first frame is taken whatever it is."""
        self._plan = plan
        self._last: float | None = None
        self._held: list[tuple[float, T]] = []

    def is_overdue(self, seconds: float) -> bool:
        """Whether a frame has to be taken before this time; the first one always has."""
        limit = self._plan.most_gap * _TOLERANCE
        return self._last is None or seconds > self._last + limit + _SLACK_SECONDS

    def wants_keyframe(self, seconds: float) -> bool:
        """Whether a keyframe of this time is far enough from what was taken last."""
        return self._last is None or seconds >= self._last + self._plan.least_gap - _SLACK_SECONDS

    def offer(self, frame: T, seconds: float, *, is_keyframe: bool) -> Iterator[T]:
        """Decide about the next decoded frame; gives what is taken, which may be one held."""
        if self._last is not None and seconds <= self._last:
            return
        while self._held and self.is_overdue(seconds):
            self._last, held = self._held.pop(0)
            yield held
        if self.is_overdue(seconds) or (is_keyframe and self.wants_keyframe(seconds)):
            self._last, self._held = seconds, []
            yield frame
        elif seconds <= (self._last or 0.0) + self._plan.most_gap:
            self._held = [(seconds, frame)]
        elif len(self._held) < _IN_HAND:
            # Past the limit, within its tolerance.
            self._held.append((seconds, frame))


@dataclass(frozen=True, slots=True)
class Group:
    """A keyframe to look at in a file with an index, and what follows it.

    Attributes:
        keyframe_seconds: Its time.
        fills: Times after it; the latest frame up to each is looked at too.
    """

    keyframe_seconds: float
    fills: tuple[float, ...] = ()


def few_groups(keyframes: Sequence[float], end_seconds: float, most_gap: float) -> Iterator[Group]:
    """Choose as few frames of a file as keep every gap within `most_gap`.

    Args:
        keyframes: Their times in seconds, ascending.
        end_seconds: Time of the last frame of all.
        most_gap: Seconds.
    """
    reach = most_gap * _TOLERANCE
    last = float("-inf")
    for key, following in pairwise([*keyframes, end_seconds]):
        if following <= last + reach:
            continue
        # Not one by one: a damaged index may say that the video lasts for years.
        fills = max(0, ceil((following - key - reach) / most_gap))
        if fills > _MOST_FILLS:
            fills = 0
        yield Group(key, tuple(key + most_gap * (n + 1) for n in range(fills)))
        last = key + most_gap * fills


def latest_up_to(
    frames: Iterable[T], times: Sequence[float], seconds_of: Callable[[T], float]
) -> Iterator[T]:
    """Give the first frame, then the latest one up to each time.

    Args:
        frames: In order of time.
        times: Ascending, after the first frame's.
        seconds_of: Gives a frame's time.
    """
    waiting = deque(times)
    best: T | None = None
    for number, frame in enumerate(frames):
        if number == 0:
            yield frame
            continue
        while waiting and seconds_of(frame) > waiting[0]:
            waiting.popleft()
            if best is not None:
                yield best
                best = None
        if not waiting:
            return
        best = frame
    if best is not None:
        yield best
