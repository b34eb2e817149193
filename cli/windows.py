"""Planning windows from the command line: one connection an account, the live lane.

Shared by the commands that ask for windows. Which windows a chat has is `archive.history`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from archive.errors import Permanent
from archive.history import PlannedWindows, plan_windows
from archive.ids import AccountId, ChatNo
from archive.records import Chat
from cli.output import Advance

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def require_archived(chat: Chat) -> None:
    """Refuse a chat whose windows nobody may read.

    Raises:
        Permanent: Its archive switch is off.
    """
    if not chat.switches.archive:
        raise Permanent(
            f"{chat.title!r} may not be archived: run `face-archive chats allow "
            f"{chat.chat_no} --archive` first."
        )


async def plan_chats(
    toolbox: Toolbox, chats: Iterable[Chat], advance: Advance = lambda done, total: None
) -> Mapping[ChatNo, PlannedWindows]:
    """Plan the windows that these chats lack; none of chats that only an export told of.

    Raises:
        Transient: Telegram did not answer, or a live run of the account is under way.
        Permanent: A chat cannot be read, or nobody is logged in.
    """
    from resources.telegram.sessions import Lane

    by_account: defaultdict[AccountId, list[Chat]] = defaultdict(list)
    for chat in chats:
        # Of what nobody is logged in for, an import brought the windows.
        if not toolbox.exports.is_readable(chat.chat_no):
            continue
        by_account[chat.account_id].append(chat)
        # A group that became this supergroup is a part of it.
        for earlier in toolbox.chats.predecessors(chat.chat_no):
            by_account[earlier.account_id].append(earlier)
    total = sum(map(len, by_account.values()))
    planned: dict[ChatNo, PlannedWindows] = {}
    for account_id, theirs in by_account.items():
        async with toolbox.telegram(Lane.LIVE, account_id) as telegram:
            for chat in theirs:
                planned[chat.chat_no] = await plan_windows(chat, telegram.history, toolbox.history)
                advance(len(planned), total)
    return planned
