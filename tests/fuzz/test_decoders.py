"""A short run of the fuzz target, and what its long runs found."""

import random

import pytest

from tests.fuzz.corpus import photos, videos
from tests.fuzz.decoders import decode, run_case

KNOWN = {
    "decoded", "corrupt", "truncated", "not_an_image", "no_video", "too_many_pixels", "empty",
}  # fmt: skip


@pytest.mark.parametrize("first", range(0, 2000, 250))
def test_damaged_files_are_decoded_or_rejected_with_a_reason(first: int) -> None:
    outcomes = {run_case(number) for number in range(first, first + 250)}

    assert outcomes <= KNOWN
    assert len(outcomes) > 2


@pytest.mark.parametrize("kind", sorted(photos() | videos()))
def test_a_file_cut_at_every_tenth_is_decoded_or_rejected(kind: str) -> None:
    whole = (photos() | videos())[kind]
    rng = random.Random(1)

    outcomes = [
        decode(whole[: len(whole) * tenth // 10], rng, is_video=kind in videos())
        for tenth in range(11)
    ]

    assert set(outcomes) <= KNOWN
    assert outcomes[0] == "empty"
    assert outcomes[-1] == "decoded"


@pytest.mark.parametrize("kind", sorted(photos()))
def test_a_photo_in_a_video_s_place_and_the_other_way_round_never_crash(kind: str) -> None:
    rng = random.Random(1)

    assert decode(photos()[kind], rng, is_video=True) in KNOWN
    assert all(decode(video, rng, is_video=False) in KNOWN for video in videos().values())


def test_a_video_in_no_known_codec_is_corrupt() -> None:
    assert run_case(452) in {"corrupt", "no_video"}
