"""Deletions: when they are believed, and erasing what no chat shows or allows any more.

What a deletion does is the chat's setting (``archive.records.OnDeletion``). Many at once may be an
accident or somebody else at the account, so they wait for a person; and because what was erased
does not come back, nothing is erased before a deletion can no longer turn out to be one of many.
Switching a chat's faces off loses them too (``archive.chats.deny``): there is one way to erase.
Noticing deletions is ``history``'s part; posts that are in a hub already are ``publishing``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from archive.ids import ChatNo

BURST_WINDOW: Final = timedelta(minutes=10)
"""How long deletions are counted together; the view ``lost_contents`` waits as long."""

DELETION_BURST: Final = 100
"""So many deletions within the window are believed without asking."""

CROPS_IN_FLIGHT: Final = timedelta(minutes=5)
"""A crop is written before the row that names it: a younger one may be about to be named."""

Decision = Literal["confirmed", "restored"]


@dataclass(frozen=True, slots=True)
class HeldDeletions:
    """Deletions of one chat that wait for a person; until then they change nothing."""

    chat_no: ChatNo
    messages: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased.

    Attributes:
        contents: Photos and videos of which nothing is left but their fingerprint.
        faces: Faces that were found in them.
        crops: Files removed, crops and thumbnails; those too young are left for the next time.
    """

    contents: int
    faces: int
    crops: int = 0


@dataclass(frozen=True, slots=True)
class Losses:
    """What switching a chat's faces off would erase: what no other chat allows.

    Attributes:
        contents: Photos and videos that were searched for faces.
        faces: Faces that were found in them.
        people: Identities that lose faces.
        people_gone: Those of them that have no face left.
    """

    contents: int
    faces: int
    people: int
    people_gone: int


class DeletionStore(Protocol):
    """What the archive knows of deletions."""

    def waiting(self) -> Sequence[HeldDeletions]:
        """Return what waits for a person, by chat."""
        ...

    def decide(self, chat_no: ChatNo, decision: Decision) -> int:
        """Believe the chat's waiting deletions or not; return how many they were."""
        ...

    def losses(self, chat_no: ChatNo, *, archive: bool) -> Losses:
        """Count what would be erased if a chat's faces were switched off; changes nothing.

        Args:
            chat_no: The chat.
            archive: Its archive switch goes off too.
        """
        ...

    def erase_some(self) -> Erased:
        """Erase some lost contents in one transaction; none where nothing is left to erase."""
        ...

    def doomed_crops(self) -> Sequence[str]:
        """Return the crops of erased faces that no face names."""
        ...

    def forget_crops(self, keys: Collection[str]) -> None:
        """Note that crops are gone."""
        ...


class CropBin(Protocol):
    """Where crops lie."""

    def remove(self, keys: Collection[str], *, older_than: datetime) -> set[str]:
        """Remove pictures that are old enough; return the keys that are not there any more."""
        ...


def is_burst(deletions: int, limit: int) -> bool:
    """Say whether so many deletions of a chat within the window wait for a person."""
    return deletions > limit


def erase_lost(store: DeletionStore, crops: CropBin, *, now: datetime) -> Erased:
    """Erase what was made of every lost content: its faces, their crops, its small pictures.

    Lost is what a chat which erases no longer shows, and what nobody allows to be searched for
    faces any more; small pictures stay while a chat that is archived shows their content. A kill
    at any point leaves work for the next call, and no crop without its memory.

    Args:
        store: The archive.
        crops: Where their pictures lie.
        now: The time.

    Raises:
        Transient: The database or the crops' place does not answer.
    """
    contents = faces = 0
    while (erased := store.erase_some()).contents:
        contents += erased.contents
        faces += erased.faces
    gone = crops.remove(store.doomed_crops(), older_than=now - CROPS_IN_FLIGHT)
    store.forget_crops(gone)
    return Erased(contents, faces, len(gone))
