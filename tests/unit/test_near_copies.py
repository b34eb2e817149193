import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archive.near_copies import neighbours

hashes = st.integers(-(1 << 63), (1 << 63) - 1)


@given(st.lists(hashes, max_size=40), hashes, st.integers(0, 64))
def test_exactly_the_hashes_within_the_distance_are_found(
    stored: list[int], phash: int, bits: int
) -> None:
    array = np.array(stored, np.int64).view(np.uint64)

    places, distances = neighbours(array, phash, bits)

    apart = [((one ^ phash) & ((1 << 64) - 1)).bit_count() for one in stored]
    assert places.tolist() == [place for place, far in enumerate(apart) if far <= bits]
    assert distances.tolist() == [far for far in apart if far <= bits]


def test_signed_and_unsigned_are_one_hash() -> None:
    stored = np.array([-1], np.int64).view(np.uint64)

    assert neighbours(stored, (1 << 64) - 1, 0)[0].tolist() == [0]
