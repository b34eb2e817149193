"""Which contents of a topic are copies of one another to the eye, by their perceptual hashes.

Only which pairs there are, all of a topic at once; how alike two hashes are to be is
``archive.identity.rules``', and what a near copy means for a topic is ``comparing``'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from archive.identity.rules import NEAR_COPY_BITS
from archive.publishing.wanted import WantedContent

_UNSIGNED = (1 << 64) - 1
# Rows that are compared with all others at a time: 8 MB of distances for a topic of 16 000.
_BLOCK = 512


def earlier_copies(
    contents: Sequence[WantedContent], bits: int = NEAR_COPY_BITS
) -> dict[int, list[int]]:
    """Find for each content the earlier ones that it is a near copy of.

    A photo and a video are never near copies: a still out of a video does not replace it.

    Args:
        contents: In the order in which they come first.
        bits: Most bits in which the hashes of near copies differ.

    Returns:
        By place, the places of earlier near copies, ascending; only of contents that have some.
    """
    found: dict[int, list[int]] = defaultdict(list)
    for is_video in (False, True):
        places = [
            place
            for place, content in enumerate(contents)
            if content.phash is not None and content.is_video is is_video
        ]
        if len(places) > 1:
            _compare(contents, places, bits, found)
    return found


def _compare(
    contents: Sequence[WantedContent], places: list[int], bits: int, found: dict[int, list[int]]
) -> None:
    hashes = np.array([(contents[p].phash or 0) & _UNSIGNED for p in places], np.uint64)
    for start in range(0, len(places), _BLOCK):
        block = hashes[start : start + _BLOCK]
        close = np.bitwise_count(block[:, None] ^ hashes[None, : start + len(block)]) <= bits
        # Everything is its own copy: no further look where that is all there is.
        if np.count_nonzero(close) == len(block):
            continue
        for later, earlier in zip(*np.nonzero(close), strict=True):
            if earlier < start + later:
                found[places[start + later]].append(places[earlier])
