"""What was one album where it was seen is posted as one: which posts go into one request.

Pure. How such a request is made is ``sending_albums``'. It is no more than several posts at
once: each has its own row, caption and random id, and is changed and deleted by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archive.publishing.operations import Operation, PostContent
from archive.publishing.wanted import WantedContent

# https://core.telegram.org/api/files#albums-grouped-media
MAX_ALBUM = 10


def album_of(content: WantedContent) -> str | None:
    """Name the album that a content was first seen in; a face that is asked about is in none."""
    first = content.sources[0]
    if content.asked is not None or first.grouped_id is None:
        return None
    return f"{first.chat.chat_no}:{first.grouped_id}"


def together(posts: Iterable[PostContent]) -> list[PostContent]:
    """Let the posts of an album follow one another, where its first one was."""
    groups: dict[object, list[PostContent]] = {}
    for post in posts:
        key = post.content_key if post.album is None else (post.album,)
        groups.setdefault(key, []).append(post)
    return [post for group in groups.values() for post in group]


def requests(operations: Sequence[Operation]) -> Iterator[tuple[Operation, ...]]:
    """Split a plan into what is done at once: an album of posts, or one operation."""
    batch: list[Operation] = []
    for operation in operations:
        if batch and not (_are_mates(batch[-1], operation) and len(batch) < MAX_ALBUM):
            yield tuple(batch)
            batch = []
        batch.append(operation)
    if batch:
        yield tuple(batch)


def _are_mates(one: Operation, other: Operation) -> bool:
    return (
        isinstance(one, PostContent)
        and isinstance(other, PostContent)
        and one.album is not None
        and (one.album, one.identity_id) == (other.album, other.identity_id)
    )
