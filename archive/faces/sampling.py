"""Which frames of a video are looked at.

A policy without a decoder: frames come in order of their times, as a sequential decoder gives
them, and each is taken or not. Nothing needs the length, which many files do not know.
"""

from __future__ import annotations


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
        # Frame times are rational in the file and float here: a frame a hair early is on time.
        self._slack = min(1e-3, self._period / 100)
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
