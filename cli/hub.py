"""`face-archive hub`: the private forum that receives one topic per person.

Shows and asks; what a hub must be and how it is chosen is `archive.hubs`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from archive.hubs import DEFAULT_TITLE, HubCheck, check_hub, create_hub, require_hub, use_hub
from archive.ids import AccountId, ChatId
from archive.publishing import Hub
from cli.context import open_toolbox
from cli.exits import ExitCode
from cli.output import emit, say
from resources.telegram.sessions import Lane

if TYPE_CHECKING:
    from resources.telegram.client import TelegramAccount
    from resources.toolbox import Toolbox

_T = TypeVar("_T")

hub_app = typer.Typer(
    no_args_is_help=True, help="The private forum that receives one topic per person."
)

# A marked id begins with a minus and is no option.
_TAKES_IDS = {"ignore_unknown_options": True}
_Account = Annotated[
    int | None, typer.Option(help="The account that posts; needed if several are logged in.")
]


@hub_app.command("create")
def create_command(
    title: Annotated[str, typer.Argument(help="Title of the group.")] = DEFAULT_TITLE,
    *,
    account: _Account = None,
) -> None:
    """Make a private forum and publish there from now on.

    For example:

    - `face-archive hub create`
    - `face-archive hub create "Our family"`
    """

    async def create(toolbox: Toolbox, telegram: TelegramAccount) -> Hub:
        account_id = telegram.account.account_id
        return await create_hub(title, account_id, telegram.hub, toolbox.chats, toolbox.topics)

    with open_toolbox() as toolbox:
        hub = asyncio.run(_as_account(toolbox, account, create))
    emit([_row(hub)], title="Hub made")
    say("Next: `face-archive publish plan`, or let `face-archive up` publish.")


@hub_app.command("use", context_settings=_TAKES_IDS)
def use_command(
    ref: Annotated[str, typer.Argument(help="Name, marked id or link of a private forum.")],
    *,
    account: _Account = None,
) -> None:
    """Publish into a forum that exists from now on; refused if it is public or a source.

    For example:

    - `face-archive hub use -1001234567890`
    - `face-archive hub use https://t.me/+AbCd…`
    """

    async def use(toolbox: Toolbox, telegram: TelegramAccount) -> Hub:
        account_id = telegram.account.account_id
        parts = (telegram.peers, telegram.hub, toolbox.chats, toolbox.topics)
        return await use_hub(ref, account_id, *parts)

    with open_toolbox() as toolbox:
        hub = asyncio.run(_as_account(toolbox, account, use))
    emit([_row(hub)], title="Hub in use")


@hub_app.command("list")
def list_command() -> None:
    """List the hubs that were made or chosen; the one in use comes first.

    For example:

    - `face-archive hub list`
    """
    with open_toolbox() as toolbox:
        hubs = toolbox.topics.hubs()
    emit(map(_row, hubs), title="Hubs", empty="No hub yet: run `face-archive hub create`.")


@hub_app.command("check")
def check_command() -> None:
    """Ask Telegram whether the hub in use can be written to; exits with 1 if not.

    For example:

    - `face-archive hub check`
    """
    with open_toolbox() as toolbox:
        configured = toolbox.settings.hub_group_id
        hub = require_hub(toolbox.topics, None if configured is None else ChatId(configured))

        async def check(toolbox: Toolbox, telegram: TelegramAccount) -> HubCheck:
            return await check_hub(hub, telegram.hub, toolbox.topics)

        found = asyncio.run(_as_account(toolbox, hub.chat.account_id, check))
    emit([{**_row(hub), **dataclasses.asdict(found.rights)}], title="Hub")
    if found.blocked_reason is not None:
        say(found.blocked_reason)
        raise typer.Exit(ExitCode.FAILED)


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    app.add_typer(hub_app, name="hub")


async def _as_account(
    toolbox: Toolbox,
    account: int | None,
    work: Callable[[Toolbox, TelegramAccount], Awaitable[_T]],
) -> _T:
    chosen = None if account is None else AccountId(account)
    async with toolbox.telegram(Lane.PUBLISH, chosen) as telegram:
        return await work(toolbox, telegram)


def _row(hub: Hub) -> dict[str, object]:
    return {
        "title": hub.chat.title,
        "chat_id": hub.chat.chat_id,
        "in_use": hub.in_use,
        "account": hub.chat.account_id,
    }
