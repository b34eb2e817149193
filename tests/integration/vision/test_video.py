import io
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from archive.errors import ItemRejected
from archive.faces.sampling import EveryTick, FewKeyframes, KeyframesAndGaps, SamplingPolicy
from resources.vision.video import VideoReader
from tests.integration.vision.pictures import counting_frames, video


def sampled(data: bytes, rate: float) -> list[tuple[float, int]]:
    """Times and frame numbers, told by brightness."""
    with VideoReader(data) as reader:
        return [
            (round(frame.seconds, 2), round((frame.pixels.mean() - 5) / 2))
            for frame in reader.frames(EveryTick(rate))
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
        taken = list(reader.frames(EveryTick(2.0)))

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
        list(reader.frames(EveryTick(1.0)))

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
        frame = next(reader.frames(EveryTick(1.0)))

    with VideoReader(source) as reader:
        plain = next(reader.frames(EveryTick(1.0)))
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


def long_video(
    seconds: int = 40, *, fps: int = 10, gop_seconds: int = 5, container: str = "mp4"
) -> bytes:
    """A video whose every frame tells its time by brightness, with B-frames and long groups."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream("libx264", rate=fps, options={"sc_threshold": "0", "bf": "3"})
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.gop_size = gop_seconds * fps
        for number in range(seconds * fps):
            grey = np.full((48, 64, 3), 20 + number * 200 // (seconds * fps), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return buffer.getvalue()


def times_of(source: bytes | io.BytesIO, policy: SamplingPolicy | None = None) -> list[float]:
    """Times of the sampled frames, each checked against what the picture itself says."""
    with VideoReader(source) as reader:
        taken = [
            (frame.seconds, float(frame.pixels.mean()))
            for frame in reader.sampled(policy or SamplingPolicy(), "video")
        ]
    assert all(abs(mean - (20 + seconds * 200 / 40)) < 3 for seconds, mean in taken)
    return [round(seconds, 2) for seconds, _ in taken]


def test_of_a_long_video_keyframes_are_seen_and_gaps_filled() -> None:
    taken = times_of(long_video())

    assert set(range(0, 40, 5)) <= set(taken)
    assert all(1 <= later - earlier <= 2.2 for earlier, later in pairwise(taken))
    assert taken[-1] >= 38


def test_keyframes_as_close_as_the_gap_need_nothing_between_them() -> None:
    taken = times_of(long_video(gop_seconds=2))

    assert taken == list(range(0, 40, 2))


def test_the_last_frames_that_the_decoder_holds_are_seen() -> None:
    taken = sampled(video(counting_frames(2), fps=1), 1.0)

    assert [seconds for seconds, _ in taken] == [0, 1]


def test_a_video_of_unknown_length_is_measured_first() -> None:
    def without_length(seconds: int) -> bytes:
        return long_video(seconds, container="mpegts")

    with VideoReader(without_length(4)) as reader:
        assert len(list(reader.sampled(SamplingPolicy(), "video"))) == 4


def test_a_stream_without_any_times_is_told_by_its_order() -> None:
    taken = times_of_raw(long_video(40, container="h264"))

    assert all(later - earlier <= 2.4 for earlier, later in pairwise(taken))
    # Nothing in such a file says how fast it is: FFmpeg takes 25 frames a second.
    assert 13 <= taken[-1] <= 16


def times_of_raw(data: bytes) -> list[float]:
    with VideoReader(data) as reader:
        return [frame.seconds for frame in reader.sampled(SamplingPolicy(), "video")]


def test_a_file_read_in_ranges_gives_the_frames_of_the_plan() -> None:
    data = long_video()

    taken = times_of(io.BytesIO(data))

    assert taken == [0, 10, 20, 30]


def test_gaps_of_a_file_read_in_ranges_are_filled_too() -> None:
    data = long_video(gop_seconds=20)

    taken = times_of(io.BytesIO(data), SamplingPolicy(max_gap_seconds_ranged=8))

    assert [round(time) for time in taken] == [0, 8, 16, 20, 28, 36]


def test_a_file_read_in_ranges_without_an_index_is_read_through() -> None:
    taken = times_of(io.BytesIO(long_video(container="matroska")))

    assert all(later - earlier <= 11 for earlier, later in pairwise(taken))
    assert taken[-1] >= 28


def test_a_keyframe_that_cannot_be_decoded_is_made_up_for() -> None:
    import av

    data = bytearray(long_video(gop_seconds=2))
    with av.open(io.BytesIO(bytes(data))) as file:
        entries = [each for each in file.streams.video[0].index_entries if each.is_keyframe]
    broken = entries[5]
    data[broken.pos : broken.pos + broken.size] = bytes(broken.size)

    with VideoReader(bytes(data)) as reader:
        taken = [frame.seconds for frame in reader.frames(KeyframesAndGaps(1.0, 2.0))]

    assert len(taken) >= 17
    assert taken[-1] == 38


@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_long_video_cut_anywhere_ends_there_or_is_rejected(tenth: int) -> None:
    for whole in (long_video(container="matroska"), long_video()):
        cut = whole[: len(whole) * tenth // 10]
        for plan in (KeyframesAndGaps(1.0, 2.0), FewKeyframes(10.0), EveryTick(1.0)):
            with suppress(ItemRejected), VideoReader(cut) as reader:
                assert list(reader.frames(plan))
