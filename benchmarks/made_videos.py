"""Videos made for measuring: minutes are encoded once and joined without encoding again.

No claim of its own; importing it registers nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

FRAMES_PER_SECOND: Final = 25
WIDTH, HEIGHT = 1280, 720


def moving(
    picture: NDArray[np.uint8] | None, seconds: int, seed: int
) -> Iterator[NDArray[np.uint8]]:
    """Give frames of a background that drifts, with a picture that stands before it.

    Args:
        picture: (h, w, 3) uint8 no larger than a frame; None leaves it out.
        seconds: Length.
        seed: Of the background.
    """
    import cv2

    random = np.random.default_rng(seed)
    # Soft shapes that drift at changing speed under the grain of a camera: without grain nearly
    # all bits would be the keyframes', which no real video has.
    shapes = random.integers(0, 255, (HEIGHT // 60, WIDTH // 30, 3), np.uint8)
    page = cv2.resize(shapes, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = random.integers(0, 13, (HEIGHT + 64, WIDTH + 64, 3), np.uint8)
    for number in range(seconds * FRAMES_PER_SECOND):
        left = round(WIDTH / 2 * (1 + np.sin(number / 60)))
        x, y = random.integers(0, 64, 2)
        part = grain[y : y + HEIGHT, x : x + WIDTH]
        frame = np.asarray(cv2.add(page[:, left : left + WIDTH], part), np.uint8)
        if picture is not None:
            top = (HEIGHT - picture.shape[0]) // 2
            x = (WIDTH - picture.shape[1]) // 2 + round(40 * np.sin(number / 25))
            frame[top : top + picture.shape[0], x : x + picture.shape[1]] = picture
        yield frame


def encoded(
    frames: Iterator[NDArray[np.uint8]], *, keyframe_seconds: int, bits_per_second: int = 2_000_000
) -> bytes:
    """Encode with x264 as phones and clients do: B-frames, a keyframe every few seconds."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "veryfast", "sc_threshold": "0"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = bits_per_second
        stream.gop_size = keyframe_seconds * FRAMES_PER_SECOND
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return buffer.getvalue()


def joined(parts: Sequence[bytes], target: io.IOBase | None = None) -> bytes:
    """Put videos of one encoder behind each other without decoding them."""
    import av

    buffer = io.BytesIO()
    with av.open(target or buffer, "w", format="mp4") as written:
        stream = None
        shift = 0
        for part in parts:
            with av.open(io.BytesIO(part), "r") as read:
                source = read.streams.video[0]
                stream = stream or written.add_stream_from_template(source)
                for packet in read.demux(source):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    written.mux(packet)
                shift += source.duration or 0
    return buffer.getvalue()
