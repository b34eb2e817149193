"""Near copies: contents that look alike to the eye, told by their perceptual hashes.

The comparison, exact over millions of hashes, and the use case that links what is new. A link says
where else a picture is; faces stay each content's own. What near copies mean for a topic is
``publishing.near_copies``'s, for founding a person ``identity``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from archive.identity.rules import NEAR_COPY_BITS
from archive.ids import ChatNo, ContentKey, MediaId, MessageId

# Pictures of nothing (black, blank) all hash alike; nobody reads further than this.
_MOST_LINKS: Final = 100

_UNSIGNED: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class HashedContent:
    """A content with its hash.

    Attributes:
        phash: 64 bits as the store has them, signed.
        is_video: A photo and a video are never near copies of one another.
    """

    content_key: ContentKey
    phash: int
    is_video: bool


@dataclass(frozen=True, slots=True)
class NearCopy:
    """Two contents that look alike; a link has no direction, so the keys are in order."""

    first: ContentKey
    second: ContentKey
    bits: int

    @classmethod
    def of(cls, one: ContentKey, other: ContentKey, bits: int) -> Self:
        """Link two contents, given in any order."""
        return cls(min(one, other), max(one, other), bits)


@dataclass(frozen=True, slots=True)
class Lookalike:
    """What looks like a content, and where it was sent first."""

    media_id: MediaId
    chat_no: ChatNo
    message_id: MessageId
    bits: int


class NearCopyStore(Protocol):
    """Where hashes and links are."""

    def unlinked(self) -> list[HashedContent]:
        """List contents whose neighbours nobody looked for since they have their hash."""
        ...

    def hashes(self, *, is_video: bool) -> tuple[list[ContentKey], NDArray[np.int64]]:
        """Give all contents of a kind, and their hashes in the same order."""
        ...

    def link(self, done: Sequence[HashedContent], links: Sequence[NearCopy]) -> None:
        """Replace the links of these contents, in one transaction."""
        ...


def neighbours(
    hashes: NDArray[np.uint64], phash: int, bits: int = NEAR_COPY_BITS
) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Find all hashes within a Hamming distance, exactly.

    A scan: a million hashes are 8 MB, which take 1 to 5 ms; at this distance an index over Hamming
    space visits most of itself.

    Args:
        hashes: (n,) uint64.
        phash: 64 bits, signed or not.
        bits: Most that may differ, 0–64.

    Returns:
        Places in `hashes`, ascending, and the distance of each.
    """
    distances = np.bitwise_count(hashes ^ np.uint64(phash & _UNSIGNED))
    places = np.flatnonzero(distances <= bits)
    return places, distances[places]


def link_near_copies(store: NearCopyStore) -> int:
    """Link every content that has no links yet to all that look alike.

    Returns:
        How many links there are now for those contents.
    """
    unlinked = store.unlinked()
    links: set[NearCopy] = set()
    for is_video in (False, True):
        asked = [each for each in unlinked if each.is_video is is_video]
        if asked:
            keys, hashes = store.hashes(is_video=is_video)
            for each in asked:
                links.update(_links(each, keys, hashes.view(np.uint64)))
    if unlinked:
        ordered = sorted(links, key=lambda link: (link.first, link.second))
        store.link(unlinked, ordered)
    return len(links)


def _links(
    content: HashedContent, keys: Sequence[ContentKey], hashes: NDArray[np.uint64]
) -> list[NearCopy]:
    places, distances = neighbours(hashes, content.phash)
    nearest = np.argsort(distances, kind="stable")
    others = [(keys[places[n]], int(distances[n])) for n in nearest[: _MOST_LINKS + 1]]
    return [
        NearCopy.of(content.content_key, key, bits)
        for key, bits in others
        if key != content.content_key
    ][:_MOST_LINKS]
