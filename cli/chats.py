"""`face-archive chats`: which chats the archive knows.

Lists and adds them, and registers the commands of the group: finding an account's chats
(`cli.chats_discover`), what may be done with each (`cli.chats_allow`, `cli.chats_deny`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from archive.chats import add_chat
from archive.ids import AccountId
from archive.records import Chat
from cli.chat_rows import chat_rows, switch_row
from cli.chats_allow import allow_command
from cli.chats_deny import deny_command
from cli.chats_discover import discover_command
from cli.chats_tag import tag_command
from cli.context import open_toolbox
from cli.deletions import deletions_command
from cli.output import emit, say
from resources.telegram.sessions import Lane

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

chats_app = typer.Typer(
    no_args_is_help=True, help="Which chats there are, and what may be done with each."
)

# A marked id begins with a minus and is no option.
_TAKES_IDS = {"ignore_unknown_options": True}


@chats_app.command("list")
def list_command(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Those that were only discovered, too.")
    ] = False,
    new: Annotated[
        bool, typer.Option("--new", help="Only what was discovered since the last look.")
    ] = False,
) -> None:
    """List the chats that were added, with their switches and windows.

    `chats discover` looks which chats an account is in; until one is allowed, only `--all` and
    `--new` show it.

    For example:

    - `face-archive chats list`
    - `face-archive chats list --new`
    """
    with open_toolbox() as toolbox:
        unseen = toolbox.dialogs.new()
        chats = toolbox.chats.known() if every or new else toolbox.chats.list()
        chosen = [chat for chat in chats if not new or chat.chat_no in unseen]
        rows = chat_rows(chosen, toolbox.overview.chats(), toolbox.deletions.waiting(), unseen)
    empty = "No chat yet: run `face-archive chats discover`, or `face-archive chats add @name`."
    emit(
        rows,
        title="Chats",
        empty="Nothing is new." if new else empty,
        hide=("username", "messages") if every or new else ("username", "messages", "new"),
    )
    if unseen and not (every or new):
        say(f"{len(unseen)} more are new: `face-archive chats list --new`.")


@chats_app.command("add", context_settings=_TAKES_IDS)
def add_command(
    refs: Annotated[
        list[str],
        typer.Argument(metavar="REF", help="@name, marked id, t.me link, or invite link."),
    ],
    *,
    account: Annotated[
        int | None, typer.Option(help="The account to look with; needed if several are logged in.")
    ] = None,
) -> None:
    """Make chats known to the archive; everything about them stays off.

    An invite link works for a chat that the account is already a member of.

    For example:

    - `face-archive chats add @name`
    - `face-archive chats add -1001234567890`
    - `face-archive chats add https://t.me/c/1234567890/1`
    """
    with open_toolbox() as toolbox:
        chats = asyncio.run(_add(toolbox, refs, account))
    emit(map(switch_row, chats), title="Added")
    say("Everything is off. Next: `face-archive chats allow CHAT --archive --faces`.")


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    chats_app.command("discover")(discover_command)
    chats_app.command("allow", context_settings=_TAKES_IDS)(allow_command)
    chats_app.command("deletions", context_settings=_TAKES_IDS)(deletions_command)
    chats_app.command("deny", context_settings=_TAKES_IDS)(deny_command)
    chats_app.command("tag", context_settings=_TAKES_IDS)(tag_command)
    app.add_typer(chats_app, name="chats")


async def _add(toolbox: Toolbox, refs: list[str], account: int | None) -> list[Chat]:
    chosen = None if account is None else AccountId(account)
    async with toolbox.telegram(Lane.LIVE, chosen) as telegram:
        account_id = telegram.account.account_id
        return [await add_chat(ref, account_id, telegram.peers, toolbox.chats) for ref in refs]
