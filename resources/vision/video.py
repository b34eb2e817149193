"""Frames of a video, decoded in order from bytes in memory.

One pass over the file, one frame alive at a time, so memory does not grow with the length.
Seeking to each sample would decode most frames anyway (from the keyframe before it) and fails on
files without an index. Which frames are taken is `archive.faces.sampling`'s rule.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from archive.errors import ItemRejected
from archive.faces.records import Pixels
from archive.faces.sampling import FixedRateSampler
from resources.vision.decoding import DEFAULT_MAX_MEGAPIXELS

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MICROSECONDS: Final = 1_000_000  # FFmpeg's unit of a container's duration


@dataclass(frozen=True, slots=True, eq=False)
class SampledFrame:
    """One frame.

    Attributes:
        seconds: Presentation time on the video's own clock, which need not start at 0.
        pixels: (h, w, 3) uint8 RGB, upright.
    """

    seconds: float
    pixels: Pixels


class VideoReader:
    """A video in memory, open for one pass.

    A tail that cannot be decoded ends the pass as if the video ended there; `broken_packets`
    tells. A video of which nothing can be decoded is `corrupt`.
    """

    def __init__(self, data: bytes, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> None:
        """Open the container; reads its header only.

        Args:
            data: The whole file.
            max_megapixels: Largest frame that is decoded.

        Raises:
            ItemRejected: `empty`, `corrupt`, `no_video` or `too_many_pixels`.
        """
        import av

        if not data:
            raise ItemRejected("empty", "0 bytes")
        try:
            self._container = av.open(io.BytesIO(data), mode="r", metadata_errors="replace")
        except (av.FFmpegError, ValueError, OSError) as exc:
            raise ItemRejected("corrupt", f"cannot be opened: {exc}") from exc
        self._max_pixels = max_megapixels * 1e6
        self.broken_packets = 0
        self._last_seconds: float | None = None
        self._first_seconds: float | None = None
        try:
            self._stream = self._video_stream()
            self._check_size(self._stream.width, self._stream.height)
        except ItemRejected:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        """Give the reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the container."""
        self._container.close()

    @property
    def duration_seconds(self) -> float | None:
        """Length as the header says, else as far as frames were seen; None when neither is known.

        A header may lie about a file cut off in the middle; it tells what the sender had.
        """
        stream, container = self._stream, self._container
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if container.duration:
            return float(container.duration / _MICROSECONDS)
        if self._last_seconds is None or self._first_seconds is None:
            return None
        return self._last_seconds - self._first_seconds

    def frames(self, frames_per_second: float) -> Iterator[SampledFrame]:
        """Decode the whole video and give a frame at each tick.

        Args:
            frames_per_second: Above 0.

        Raises:
            ItemRejected: `corrupt` if not one frame could be decoded, `too_many_pixels` if a
                frame is larger than the header said.
        """
        sampler = FixedRateSampler(frames_per_second)
        for frame in self._decoded():
            seconds = self._seconds(frame)
            if self._first_seconds is None:
                self._first_seconds = seconds
            self._last_seconds = seconds
            if sampler.wants(seconds):
                self._check_size(frame.width, frame.height)
                yield SampledFrame(seconds, _upright_rgb(frame))
        if self._first_seconds is None:
            raise ItemRejected("corrupt", "no frame could be decoded")

    def _decoded(self) -> Iterator[VideoFrame]:
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):  # the container itself ends in the middle
                self.broken_packets += 1
                return
            if packet is None:
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:  # this packet only; the next keyframe mends the picture
                self.broken_packets += 1

    def _seconds(self, frame: VideoFrame) -> float:
        """Give a frame's time; files without any get it from its place in the stream."""
        if frame.pts is not None:
            return float(frame.time)
        rate = float(self._stream.average_rate or 25)
        return 0.0 if self._last_seconds is None else self._last_seconds + 1.0 / rate

    def _video_stream(self) -> VideoStream:
        """Pick the picture stream; the cover of an audio file is one too, and is as good."""
        streams = self._container.streams.video
        if not streams:
            raise ItemRejected("no_video", "the file has no video stream")
        stream = streams[0]
        # Workers are parallel over files already; more threads here would only take their cores
        # and keep more frames alive.
        stream.codec_context.thread_count = 1
        return stream

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            raise ItemRejected(
                "too_many_pixels",
                f"{width} × {height}, the limit is {self._max_pixels / 1e6:g} megapixels",
            )


def _upright_rgb(frame: VideoFrame) -> Pixels:
    """Convert one frame and turn it as its rotation metadata says."""
    pixels: Any = frame.to_ndarray(format="rgb24")
    quarter_turns = round(frame.rotation / 90) % 4  # degrees counter-clockwise
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns) if quarter_turns else pixels)
