"""Which contents are copies of one another to the eye, by their perceptual hashes.

Only who stands for whom; how alike two are is ``archive.near_copies``'s, and what a near copy
means for a topic is the planner's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archive.identity.rules import NEAR_COPY_BITS
from archive.ids import ContentKey
from archive.near_copies import neighbours

_UNSIGNED = (1 << 64) - 1


class Leaders:
    """The contents that stand for their near copies, in the order they were added.

    A photo and a video are never near copies: a still out of a video does not replace it.

    Args:
        capacity: Most leaders there will be.
        near_copy_bits: Most bits in which the hashes of near copies differ.
    """

    def __init__(self, capacity: int, near_copy_bits: int = NEAR_COPY_BITS) -> None:
        self._near_copy_bits = near_copy_bits
        self._sides = {False: _Side(capacity), True: _Side(capacity)}

    def add(self, content_key: ContentKey, phash: int | None, *, is_video: bool) -> None:
        """Let a content stand for its near copies; without a hash it has none."""
        if phash is not None:
            self._sides[is_video].add(content_key, phash)

    def near(self, phash: int | None, *, is_video: bool) -> ContentKey | None:
        """Find the first leader that this is a near copy of."""
        if phash is None:
            return None
        return self._sides[is_video].near(phash, self._near_copy_bits)


class _Side:
    """Leaders of one kind; the hashes lie in one array, because people have thousands."""

    def __init__(self, capacity: int) -> None:
        self._keys: list[ContentKey] = []
        self._hashes: NDArray[np.uint64] = np.zeros(capacity, np.uint64)

    def add(self, content_key: ContentKey, phash: int) -> None:
        self._hashes[len(self._keys)] = phash & _UNSIGNED
        self._keys.append(content_key)

    def near(self, phash: int, near_copy_bits: int) -> ContentKey | None:
        close, _ = neighbours(self._hashes[: len(self._keys)], phash, near_copy_bits)
        return self._keys[close[0]] if close.size else None
