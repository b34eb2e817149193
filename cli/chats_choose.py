"""Which chats a person means: by name, by a folder of their app, or by a pattern of titles.

Only the choice among chats that are known; what is done with them is the commands' business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from archive.chats import find_chat
from archive.chats.discovering import Folder
from archive.errors import Permanent
from archive.ids import AccountId
from archive.records import Chat
from cli.output import say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_DISCOVER = "`face-archive chats discover` looks for chats that are not known yet."


@dataclass(frozen=True, slots=True)
class Choice:
    """What was said about which chats are meant; all of it together.

    Attributes:
        names: Each means one chat.
        folder: Title of a folder that was made in the app.
        title: A pattern of titles, with ``*`` and ``?``; capitals make no difference.
        account: Only chats that this account reads.
    """

    names: tuple[str, ...] = ()
    folder: str | None = None
    title: str | None = None
    account: int | None = None

    @property
    def says_something(self) -> bool:
        """Whether any chat is meant at all."""
        return bool(self.names) or self.folder is not None or self.title is not None


def chosen_chats(toolbox: Toolbox, choice: Choice) -> list[Chat]:
    """Find the chats that are meant, each once, hubs left out of folders and patterns.

    Raises:
        Permanent: A name means none or several, or a folder or a pattern means none.
        Transient: Telegram did not answer about folders.
    """
    known = toolbox.chats.known()
    if choice.account is not None:
        known = [chat for chat in known if int(chat.account_id) == choice.account]
    found = [find_chat(known, name) for name in choice.names]
    sources = [chat for chat in known if not chat.is_hub]
    if choice.title is not None:
        found += _titled(sources, choice.title)
    if choice.folder is not None:
        found += _in_folder(toolbox, sources, choice.folder, choice.account)
    return list({chat.chat_no: chat for chat in found}.values())


def _titled(chats: Sequence[Chat], pattern: str) -> list[Chat]:
    wanted = pattern.casefold()
    found = [chat for chat in chats if fnmatchcase(chat.title.casefold(), wanted)]
    if not found:
        raise Permanent(f"No known chat has a title like {pattern!r}. {_DISCOVER}")
    return found


def _in_folder(
    toolbox: Toolbox, chats: Sequence[Chat], name: str, account: int | None
) -> list[Chat]:
    owner, folders = asyncio.run(_folders(toolbox, account))
    theirs = [chat for chat in chats if toolbox.dialogs.is_in(chat.chat_no, owner)]
    titled = [folder for folder in folders if folder.title.casefold() == name.casefold()]
    if not titled:
        titles = ", ".join(repr(folder.title) for folder in folders) or "none"
        raise Permanent(f"The account has no folder {name!r}; it has {titles}.")
    if any(folder.has_other_rules for folder in titled):
        say("Contacts and bots that the folder holds by a rule are left out: name them.")
    found = [chat for chat in theirs if any(folder.holds(chat) for folder in titled)]
    if not found:
        raise Permanent(f"No known chat is in the folder {name!r}. {_DISCOVER}")
    return found


async def _folders(toolbox: Toolbox, account: int | None) -> tuple[AccountId, Sequence[Folder]]:
    from resources.telegram.sessions import Lane

    chosen = None if account is None else AccountId(account)
    async with toolbox.telegram(Lane.LIVE, chosen) as telegram:
        return telegram.account.account_id, await telegram.dialogs.folders()
