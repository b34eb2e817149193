"""`face-archive chats discover`: which chats an account is in.

Shows how far it is and every wait; reading page by page, and going on after a break, is
`archive.chats.discovering`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from archive.chats.discovering import Discovered, discover
from archive.ids import AccountId
from cli.chat_rows import switch_row
from cli.context import open_toolbox
from cli.output import emit, progress, say
from resources.telegram.sessions import Lane

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def discover_command(
    *,
    account: Annotated[
        int | None, typer.Option(help="Whose chats; needed if several are logged in.")
    ] = None,
) -> None:
    """Look which chats an account is in, and list those that are new since the last look.

    Every switch of theirs is off: nothing is read of any before `chats allow`. One request a
    hundred chats. If Telegram asks to wait for long, or you break it off, run it again and it
    goes on from there. Chats that you join later are noticed by `face-archive up`.

    For example:

    - `face-archive chats discover`
    - `face-archive chats discover --account 123456789`
    """
    with open_toolbox() as toolbox:
        found = discover_chats(toolbox, None if account is None else AccountId(account))
        new = toolbox.dialogs.new()
        chats = [chat for chat in toolbox.chats.known() if chat.chat_no in new]
    if found.resumed:
        say("It went on from where it was broken off.")
    emit(map(switch_row, chats), title="New chats", hide=("allowed",), empty="Nothing is new.")
    say(
        f"The account is in {found.chats} chats; {len(chats)} are new, and switched off.",
        "Next: `face-archive chats allow CHAT… --archive --faces`, or `--folder`, or `--title`.",
    )


def discover_chats(toolbox: Toolbox, account_id: AccountId | None = None) -> Discovered:
    """Store all chats that an account is in, and show how far that is.

    Args:
        toolbox: Of the installation.
        account_id: ``None`` for the only account there is.

    Raises:
        Transient: Telegram asks to wait for long, or did not answer; called again it goes on.
        Permanent: Nobody is logged in.
    """

    async def look() -> Discovered:
        async with toolbox.telegram(Lane.LIVE, account_id) as telegram:
            telegram.stats.on_wait = _say_wait
            return await discover(
                telegram.account.account_id, telegram.dialogs, toolbox.dialogs, advance=advance
            )

    with progress("Looking at your chats") as advance:
        return asyncio.run(look())


def _say_wait(method: str, seconds: float) -> None:
    say(f"Telegram asks to wait {seconds:.0f} s before {method}; it goes on by itself.")
