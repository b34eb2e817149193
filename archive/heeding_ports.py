"""What heeding a hub's remarks asks of the store, and what becomes of a remark.

Values and ports only; what each remark does is ``heeding``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from archive.correcting import CorrectionDesk
from archive.ids import DecisionId, FaceId, IdentityId
from archive.publishing.doubts import Doubt
from archive.publishing.records import HubNo
from archive.records import Chat
from archive.remarks import Remark

ACTOR: Final = "telegram:"
"""How whoever decides from within Telegram is named in the log: this, and their id."""


class Fate(StrEnum):
    """What became of a remark."""

    DECIDED = "decided"
    NOTHING = "nothing"
    """It is so already."""

    REFUSED = "refused"
    ECHO = "echo"
    """We said it ourselves."""

    STRANGER = "stranger"
    """Whoever said it has no say."""


@dataclass(frozen=True, slots=True)
class WaitingRemark:
    """A remark that nothing came of yet.

    Attributes:
        identity_id: Whose topic it was said in.
        is_own: The account that publishes said it, by hand or as an echo.
        may: Whether who said it has a say; ``None`` until the admins were asked for again, or
            while it may turn out to be a message of ours whose sending is not settled.
    """

    remark_id: int
    hub_no: HubNo
    hub: Chat
    identity_id: IdentityId
    remark: Remark
    is_own: bool
    may: bool | None


class RemarkDesk(CorrectionDesk, Protocol):
    """The desk of corrections, and one remark on it."""

    def note_title(self) -> None:
        """Record that the topic has the title said, unless it was given a later one."""
        ...

    def is_echo(self) -> bool:
        """Whether it is something that we said; a title that we gave is claimed thereby."""
        ...

    def is_overtaken(self, *, by_answers: bool) -> bool:
        """Whether what was said later about the same person came to a decision already.

        Args:
            by_answers: Only what answers the same message counts.
        """
        ...

    def faces_in_post(self) -> Sequence[FaceId] | None:
        """Give the person's faces in the post that is answered, and in near copies of it.

        Returns:
            ``None`` where no post is answered.
        """
        ...

    def last_said(self) -> DecisionId | None:
        """Give what was decided last from within Telegram about the topic's person, and holds."""
        ...

    def doubt_in_post(self) -> Doubt | None:
        """Give the question that is answered; ``None`` where none is."""
        ...

    def last_said_at(self, place: str) -> DecisionId | None:
        """Give what was decided last by what was said at a place, and holds.

        Args:
            place: What the links of all that is said there begin with.
        """
        ...

    def trying(self) -> AbstractContextManager[object]:
        """Take back what the body writes if it raises; what was written before stays."""
        ...

    def settle(self, fate: Fate, answer: str | None) -> None:
        """Record what became of it, forget its words, and leave an answer to be sent."""
        ...


class RemarkStore(Protocol):
    """What was said in hubs."""

    def waiting(self, limit: int) -> Sequence[WaitingRemark]:
        """Return what nothing came of yet, in the order in which it was said."""
        ...

    def settling(self, remark_id: int) -> AbstractContextManager[RemarkDesk | None]:
        """Take the store for deciding about one remark: one transaction under the lock of it.

        Gives ``None`` where somebody else settled it.

        Raises:
            Transient: Somebody else is deciding, or the database does not answer.
        """
        ...
