import io

import numpy as np
import pytest

from archive.errors import ItemRejected
from resources.vision.video import VideoReader
from tests.integration.vision.pictures import counting_frames, video


def sampled(data: bytes, rate: float) -> list[tuple[float, int]]:
    """Times and frame numbers, told by brightness."""
    with VideoReader(data) as reader:
        return [
            (round(frame.seconds, 2), round((frame.pixels.mean() - 5) / 2))
            for frame in reader.frames(rate)
        ]


def test_the_whole_length_is_sampled() -> None:
    data = video(counting_frames(50), fps=10)

    taken = sampled(data, 1.0)

    assert [seconds for seconds, _ in taken] == [0, 1, 2, 3, 4]
    assert all(abs(number - seconds * 10) <= 1 for seconds, number in taken)


def test_a_video_whose_clock_does_not_start_at_0_keeps_its_times() -> None:
    taken = sampled(video(counting_frames(30), fps=10, start=5.0), 1.0)

    assert len(taken) == 3
    assert taken[0][1] == 0


def test_a_broken_tail_costs_the_tail_only() -> None:
    frames = [
        np.random.default_rng(n).integers(0, 255, (48, 64, 3), dtype=np.uint8) for n in range(60)
    ]
    whole = as_fragments(frames)

    with VideoReader(whole[: len(whole) * 6 // 10]) as reader:
        taken = list(reader.frames(2.0))

    assert 3 <= len(taken) < 12


def as_fragments(frames: list[np.ndarray]) -> bytes:
    """Matroska needs no index at its end: cut anywhere it plays to there."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def test_garbage_in_the_middle_does_not_end_the_pass() -> None:
    whole = bytearray(video(counting_frames(80, 320, 240), fps=10))
    middle = len(whole) // 2
    whole[middle : middle + 40] = bytes(40)

    taken = sampled(bytes(whole), 1.0)

    assert len(taken) >= 4


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"this is not a video" * 50, "corrupt"),
        (video(counting_frames(10))[:400], "corrupt"),
    ],
    ids=["0 bytes", "text", "header only"],
)
def test_what_cannot_be_played_is_rejected(data: bytes, reason: str) -> None:
    with pytest.raises(ItemRejected) as caught, VideoReader(data) as reader:
        list(reader.frames(1.0))

    assert caught.value.reason == reason


def test_a_video_larger_than_the_limit_is_rejected_by_its_header() -> None:
    with pytest.raises(ItemRejected, match="too_many_pixels"):
        VideoReader(video(counting_frames(2, 640, 480)), max_megapixels=0.3)


def test_rotation_metadata_turns_the_picture_upright(shared_data) -> None:
    import av

    source = (shared_data / "video" / "hamilton_clip.mp4").read_bytes()
    turned = io.BytesIO()
    with (
        av.open(io.BytesIO(source)) as read,
        av.open(turned, "w", format="mp4") as written,
    ):
        stream = written.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                written.mux(packet)
    data = with_quarter_turn(turned.getvalue())

    with VideoReader(data) as reader:
        frame = next(iter(reader.frames(1.0)))

    with VideoReader(source) as reader:
        plain = next(iter(reader.frames(1.0)))
    assert frame.pixels.shape == (640, 360, 3)
    # The matrix says "turn clockwise by 90 degrees to show".
    np.testing.assert_array_equal(frame.pixels, np.rot90(plain.pixels, -1))


def with_quarter_turn(mp4: bytes) -> bytes:
    """Write the display matrix of a phone held upright into the video's track header."""
    one = 1 << 16
    place = mp4.index(b"tkhd") + 4 + 4 + 8 + 4 + 4 + 4 + 8 + 8
    straight = b"".join(v.to_bytes(4, "big", signed=True) for v in (one, 0, 0, 0, one, 0, 0, 0))
    quarter = b"".join(v.to_bytes(4, "big", signed=True) for v in (0, one, 0, -one, 0, 0, 0, 0))
    assert mp4[place : place + 32] == straight
    return mp4[:place] + quarter + mp4[place + 32 :]
