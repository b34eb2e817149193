"""How an account keeps its list of chats: what it pinned, archived and sorted into folders.

Here belongs what the account decided about its list; the list itself is `methods.dialogs`.
"""

from dataclasses import dataclass, field
from typing import Final

from telegram_sandbox.records import Chat

ARCHIVE_FOLDER: Final = 1


@dataclass(slots=True, eq=False)
class Folder:
    """A folder with a title; `groups` and `broadcasts` are rules that fill it besides."""

    title: str
    chats: list[Chat]
    groups: bool = False
    broadcasts: bool = False


@dataclass(slots=True, eq=False)
class DialogLists:
    """The decisions of one account."""

    pinned: list[Chat] = field(default_factory=list)
    archived: list[Chat] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)

    def place_of(self, chat: Chat) -> int:
        """Returns the number of the list that a chat is in."""
        return ARCHIVE_FOLDER if chat in self.archived else 0
