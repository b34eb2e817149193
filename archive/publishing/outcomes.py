"""What became of operations."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of an operation; also the name it is counted under."""

    TOPIC = "topics"
    REFERENCE = "reference"
    FORWARD = "forward"
    UPLOAD = "upload"
    CROP = "crop"
    SUMMARY = "summaries"
    ANSWER = "answers"
    EDIT = "edits"
    """A title, a caption, a summary, a pin; or a topic was closed or opened again."""

    REMOVAL = "removals"
    FOUND = "found"
    """What an earlier try came to; it is removed next."""

    REFUSED = "refused"
    """No way of copying worked; it is set aside with its reason."""

    UNRESOLVED = "unresolved"
    """An earlier send may have arrived and cannot be repeated now; left for the next run."""

    WITHDRAWN = "withdrawn"
    """A switch went off, or the person was hidden, after it was planned."""

    GONE = "gone"
    """Somebody had deleted it by hand; the next run makes it anew."""

    @property
    def is_post(self) -> bool:
        """Whether a content is in the hub now."""
        return self in {Outcome.REFERENCE, Outcome.FORWARD, Outcome.UPLOAD, Outcome.CROP}

    @property
    def is_done(self) -> bool:
        """Whether the hub is now as the operation wanted it."""
        return self not in {
            Outcome.REFUSED,
            Outcome.UNRESOLVED,
            Outcome.WITHDRAWN,
            Outcome.GONE,
        }
