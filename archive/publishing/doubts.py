"""Questions about faces that are put to those who are in a hub.

Values only. A hub has one topic for them, which is nobody's: its owner is ``REVIEW`` where that of
another topic is a person. So a question is a post like any other, planned, stored before it is
sent, read back, counted and deleted by the same code; what it shows is named after the question
and not after a content. Which questions are asked is ``reviewing``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final
from uuid import UUID

from archive.ids import ContentKey, FaceId, IdentityId

REVIEW: Final = IdentityId(UUID(int=0))
"""Who has the topic of open questions: no identity is ever called so."""

REVIEW_TITLE: Final = "To review"

EXPLANATION: Final = (
    f"<b>{REVIEW_TITLE}</b>\n"
    "Faces that the archive is not sure of. Answer a picture with /yes or /no; once it is settled, "
    "here or elsewhere, it goes away. /undo takes the last answer back."
)
"""What is pinned in the topic, in Telegram's HTML."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Is this face that person's?

    Attributes:
        identity_id: Whose it may be.
        placed: Whether the matcher put it there; else it was nobody's when this was asked.
    """

    face_id: FaceId
    identity_id: IdentityId
    placed: bool

    @property
    def key(self) -> ContentKey:
        """Name what a post of this question shows; no content is called so."""
        return ContentKey(f"face:{self.face_id}:{self.identity_id}:{'placed' * self.placed}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it reads in a hub.

    Attributes:
        name: What the person's topic is, or would be, called.
        number: The person's.
        link: Of the person's topic in this hub, where it is there.
        is_coming: That topic is there, or is to be made: the link is looked up when this is sent.
    """

    doubt: Doubt
    name: str
    number: int
    link: str | None = None
    is_coming: bool = False

    @property
    def awaits_link(self) -> bool:
        """Whether there will be a topic to link to, but is none yet."""
        return self.is_coming and self.link is None

    @property
    def heading(self) -> str:
        """The question and how it is answered, in Telegram's HTML."""
        name = escape(self.name)
        whom = f'<a href="{escape(self.link)}">{name}</a>' if self.link else name
        return f"Is this {whom} (#{self.number})? Answer /yes or /no."
