"""Packets of a video stream to frames: order, times, what is skipped, what is broken.

One decoder, fed in order; it holds one group of pictures, so memory does not grow with the
length. What is taken of the frames is decided by those who ask: `video`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]

# Most frames in a row that an H.264 or HEVC encoder makes such that no other needs them: with as
# many frames to a sampling period, skipping them still leaves one near each tick.
_MOST_UNREFERENCED: Final = 16


class FrameDecoder:
    """One stream's decoder; not for two threads at once.

    Attributes:
        broken_packets: Packets that could not be decoded so far; the next keyframe mends it.
    """

    def __init__(self, stream: VideoStream) -> None:
        """Take a stream that nobody decoded from yet."""
        self.broken_packets = 0
        self._stream = stream
        self._rate = float(stream.average_rate or 25)
        self._base = stream.time_base or Fraction(1, 1_000_000)
        # Workers are parallel over files already; more threads here would only take their cores
        # and keep more frames alive.
        stream.codec_context.thread_count = 1

    def skip_unreferenced(self, sampling_seconds: float) -> None:
        """Leave out frames that no other frame needs, if enough are left for this period.

        A third to two thirds of the frames of most videos, at no cost for those that are decoded.
        """
        if self._rate * sampling_seconds >= _MOST_UNREFERENCED:
            self._stream.codec_context.skip_frame = "NONREF"

    def frames(self, packets: Iterable[VideoPacket]) -> Iterator[VideoFrame]:
        """Decode packets that follow each other."""
        import av

        for packet in packets:
            try:
                yield from packet.decode()
            except av.FFmpegError:  # this packet only; the next keyframe mends the picture
                self.broken_packets += 1

    def drain(self) -> Iterator[VideoFrame]:
        """Give what the decoder still holds, and make it ready for another group."""
        import av

        context = self._stream.codec_context
        try:
            yield from context.decode(None)
        except av.FFmpegError:
            self.broken_packets += 1
        context.flush_buffers()

    def seconds_of(self, item: VideoPacket | VideoFrame) -> float:
        """Give a time on the video's own clock."""
        ticks = item.pts if item.pts is not None else item.dts
        return float((ticks or 0) * (item.time_base or self._base))

    def ticks_of(self, number: int) -> int:
        """Give a packet of a stream without times the one that follows from its place."""
        return round(number / self._rate / self._base)
