"""Frames of a video, upright and in order, from bytes in memory or from a file read in ranges.

One pass over the file, two frames alive at a time, so memory does not grow with the length.
Seeking to each sample would decode most frames several times over (from the keyframe before it)
and fails on files without an index; a file whose bytes cost requests is the exception. Which
frames are taken is `archive.faces.sampling`'s rule.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count, islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from archive.errors import ItemRejected
from archive.faces.records import PictureKind, Pixels
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
from resources.vision.decoding import DEFAULT_MAX_MEGAPIXELS
from resources.vision.packets import FrameDecoder

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]

_MICROSECONDS: Final = 1_000_000  # FFmpeg's unit of a container's duration
_BEYOND_THE_END: Final = 1.0  # second; the last frame is shown for a while
_MOST_OF_IT: Final = 0.8  # a damaged index may lack its end


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
    """A video, open for one pass.

    A tail that cannot be decoded ends the pass as if the video ended there; `broken_packets`
    tells. A video of which nothing can be decoded is `corrupt`.
    """

    def __init__(
        self, source: bytes | io.IOBase, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    ) -> None:
        """Open the container; reads its header only.

        Args:
            source: The whole file, or a seekable one whose bytes each cost something.
            max_megapixels: Largest frame that is decoded.

        Raises:
            ItemRejected: `empty`, `corrupt`, `no_video` or `too_many_pixels`.
        """
        import av

        if source == b"":
            raise ItemRejected("empty", "0 bytes")
        self._is_ranged = not isinstance(source, bytes)
        self._file = io.BytesIO(source) if isinstance(source, bytes) else source
        try:
            self._container = av.open(self._file, mode="r", metadata_errors="replace")
        except (av.FFmpegError, ValueError) as exc:
            raise ItemRejected("corrupt", f"cannot be opened: {exc}") from exc
        self._max_pixels = max_megapixels * 1e6
        self._broken_containers = 0
        self._last_seconds: float | None = None
        self._first_seconds: float | None = None
        try:
            self._stream = self._video_stream()
            self._check_size(self._stream.width, self._stream.height)
        except ItemRejected:
            self._container.close()
            raise
        self._decoder = FrameDecoder(self._stream)

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
    def broken_packets(self) -> int:
        """How often something could not be read or decoded so far."""
        return self._broken_containers + self._decoder.broken_packets

    @property
    def duration_seconds(self) -> float | None:
        """Length as the header says, else as far as frames were seen; None when neither is known.

        A header may lie about a file cut off in the middle; it tells what the sender had.
        """
        header = self._header_seconds
        if header is not None or self._last_seconds is None or self._first_seconds is None:
            return header
        return self._last_seconds - self._first_seconds

    def sampled(self, policy: SamplingPolicy, kind: PictureKind) -> Iterator[SampledFrame]:
        """Give the frames that the policy takes of this video; see `frames`."""
        duration = self._header_seconds
        if duration is None and not self._is_ranged:
            duration = self._measured_seconds()
        return self.frames(policy.plan(kind, duration, ranged=self._is_ranged))

    def frames(self, plan: SamplingPlan) -> Iterator[SampledFrame]:
        """Go through the whole video and give the frames that a plan takes.

        Raises:
            ItemRejected: `corrupt` if not one frame could be decoded, `too_many_pixels` if a
                frame is larger than the header said.
            ArchiveError: What the source of a ranged file raises.
        """
        for frame in self._taken(plan):
            seconds = self._decoder.seconds_of(frame)
            self._first_seconds = seconds if self._first_seconds is None else self._first_seconds
            self._last_seconds = seconds
            self._check_size(frame.width, frame.height)
            yield SampledFrame(seconds, _upright_rgb(frame))
        if self._first_seconds is None:
            raise ItemRejected("corrupt", "no frame could be decoded")

    def frame_at(self, seconds: float) -> SampledFrame:
        """Give the frame nearest to a time, by the video's own clock.

        Raises:
            ItemRejected: `no_frame` beyond the end, `corrupt` where nothing can be decoded.
            ArchiveError: What the source of a ranged file raises.
        """
        packets = self._packets_from(seconds)
        frames = chain(self._decoder.frames(packets), self._decoder.drain())
        nearest: VideoFrame | None = None
        last_seconds = self._header_seconds or 0.0
        for frame in frames:
            at = self._decoder.seconds_of(frame)
            last_seconds = max(last_seconds, at)
            if nearest is None or abs(at - seconds) <= abs(
                self._decoder.seconds_of(nearest) - seconds
            ):
                nearest = frame
            if at >= seconds:
                break
        if nearest is None:
            raise ItemRejected("corrupt", f"no frame near {seconds:g} s could be decoded")
        if seconds > last_seconds + _BEYOND_THE_END:
            raise ItemRejected("no_frame", f"nothing at {seconds:g} s: it ends at {last_seconds:g}")
        self._check_size(nearest.width, nearest.height)
        return SampledFrame(self._decoder.seconds_of(nearest), _upright_rgb(nearest))

    def _taken(self, plan: SamplingPlan) -> Iterator[VideoFrame]:
        match plan:
            case EveryTick(rate):
                return self._at_each_tick(rate)
            case FewKeyframes(most_gap) if index := self._index():
                return self._in_groups(few_groups(*index, most_gap))
            case FewKeyframes(most_gap):
                # No index: each byte has to be read anyway.
                return self._keyframes_and_gaps(KeyframesAndGaps(most_gap, most_gap))
            case KeyframesAndGaps():
                return self._keyframes_and_gaps(plan)

    def _at_each_tick(self, rate: float) -> Iterator[VideoFrame]:
        sampler = FixedRateSampler(rate)
        self._decoder.skip_unreferenced(1.0 / rate)
        for frame in chain(self._decoder.frames(self._packets()), self._decoder.drain()):
            if sampler.wants(self._decoder.seconds_of(frame)):
                yield frame

    def _keyframes_and_gaps(self, plan: KeyframesAndGaps) -> Iterator[VideoFrame]:
        """Decode keyframes alone, and groups of pictures only as far as a gap needs them.

        What follows a keyframe waits undecoded until either the next keyframe makes it needless
        or the gap has grown too long: the wait is bounded by the gap, not by the group.
        """
        sampler: GapSampler[VideoFrame] = GapSampler(plan)
        self._decoder.skip_unreferenced(plan.most_gap)
        waiting: list[VideoPacket] = []
        for packet in self._packets():
            seconds = self._decoder.seconds_of(packet)
            if packet.is_keyframe:
                yield from self._leave_group(waiting, sampler, too_late=sampler.is_overdue(seconds))
                waiting = []
            waiting.append(packet)
            if not packet.is_keyframe and sampler.is_overdue(seconds):
                yield from self._offered(sampler, self._decoder.frames(waiting))
                waiting = []
        yield from self._leave_group(waiting, sampler, too_late=False)

    def _leave_group(
        self, waiting: list[VideoPacket], sampler: GapSampler[VideoFrame], *, too_late: bool
    ) -> Iterator[VideoFrame]:
        """Decode what is still wanted of a group: all if the next begins too late, else its key."""
        if not too_late:
            waiting = [
                packet
                for packet in waiting[:1]
                if packet.is_keyframe and sampler.wants_keyframe(self._decoder.seconds_of(packet))
            ]
        yield from self._offered(sampler, self._decoder.frames(waiting))
        yield from self._offered(sampler, self._decoder.drain())

    def _offered(
        self, sampler: GapSampler[VideoFrame], frames: Iterator[VideoFrame]
    ) -> Iterator[VideoFrame]:
        for frame in frames:
            seconds = self._decoder.seconds_of(frame)
            yield from sampler.offer(frame, seconds, is_keyframe=bool(frame.key_frame))

    def _in_groups(self, groups: Iterator[Group]) -> Iterator[VideoFrame]:
        """Go to keyframes by the file's index, and on from there only where a gap is filled."""
        from av.stream import Discard

        # Whoever reads a packet between two of ours pays for it with bytes.
        for stream in self._container.streams:
            if stream.index != self._stream.index:
                stream.discard = Discard.all
        for group in groups:
            packets = self._packets_from(group.keyframe_seconds)
            if not group.fills:
                packets = islice(packets, 1)
            frames = chain(self._decoder.frames(packets), self._decoder.drain())
            yield from latest_up_to(frames, group.fills, self._decoder.seconds_of)

    def _packets_from(self, seconds: float) -> Iterator[VideoPacket]:
        import av

        base = self._stream.time_base or Fraction(1, _MICROSECONDS)
        try:
            self._container.seek(round(seconds / base), stream=self._stream)
        except (av.FFmpegError, OSError):
            self._broken_containers += 1
            return iter(())
        return self._packets()

    def _packets(self) -> Iterator[VideoPacket]:
        import av

        packets = self._container.demux(self._stream)
        for number in count():
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):  # the container itself ends in the middle
                self._broken_containers += 1
                return
            if packet is None or packet.size == 0:  # the empty one asks the decoder to drain
                return
            if packet.pts is None and packet.dts is None:
                packet.pts = packet.dts = self._decoder.ticks_of(number)
            yield packet

    def _index(self) -> tuple[list[float], float] | None:
        """Give the times of all keyframes and of the end; None where the header has no index."""
        entries, base = self._stream.index_entries, self._stream.time_base
        if not len(entries) or base is None:
            return None
        # The index holds decoding times; seeking and the plan speak of when a frame is shown.
        first = entries[0].timestamp
        start = self._stream.start_time
        shift = 0 if start is None else max(0, start - first)
        keyframes = [float((each.timestamp + shift) * base) for each in entries if each.is_keyframe]
        end = float((entries[-1].timestamp + shift) * base)
        # Matroska shows what it happened to read while opening.
        covers = end - keyframes[0] >= (self._header_seconds or math.inf) * _MOST_OF_IT
        return (keyframes, end) if covers else None

    @property
    def _header_seconds(self) -> float | None:
        stream, container = self._stream, self._container
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return float(container.duration / _MICROSECONDS) if container.duration else None

    def _measured_seconds(self) -> float | None:
        """Read through the packets, which is quick in memory, and go back to the start."""
        import av

        times = [self._decoder.seconds_of(packet) for packet in self._packets()]
        self._container.close()
        self._file.seek(0)
        try:
            self._container = av.open(self._file, mode="r", metadata_errors="replace")
        except (av.FFmpegError, ValueError) as exc:
            raise ItemRejected("corrupt", f"cannot be opened: {exc}") from exc
        self._stream = self._video_stream()
        self._decoder = FrameDecoder(self._stream)
        return max(times) - min(times) if times else None

    def _video_stream(self) -> VideoStream:
        """Pick the picture stream; the cover of an audio file is one too, and is as good."""
        streams = self._container.streams.video
        if not streams:
            raise ItemRejected("no_video", "the file has no video stream")
        # A stream in no codec that FFmpeg knows has none of a video stream's properties.
        if not hasattr(streams[0], "width"):
            raise ItemRejected("corrupt", "the codec of the video stream is unknown")
        return streams[0]

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
