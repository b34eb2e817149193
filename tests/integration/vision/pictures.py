"""Small pictures and videos made on the spot."""

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import Image


def encoded(image: Image.Image, format_name: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def plain(width: int = 64, height: int = 48, colour: Any = "red", mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), colour)


def textured(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def video(
    frames: list[np.ndarray], *, fps: int = 10, start: float = 0.0, codec: str = "libx264"
) -> bytes:
    """An MP4 of RGB frames, one keyframe a second."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.gop_size = fps
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number + round(start * fps)
            frame.time_base = Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def counting_frames(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Frames whose brightness grows, so that each can be told by its mean."""
    return [np.full((height, width, 3), 5 + number * 2, np.uint8) for number in range(count)]
