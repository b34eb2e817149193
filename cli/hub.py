"""`face-archive hub`: the private forums that receive one topic per person.

Shows and asks; what a hub must be and how it is chosen is `archive.hubs`, who goes where where
there are several is `archive.publishing.seating`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from archive.hubs import (
    DEFAULT_TITLE,
    HubCheck,
    check_hub,
    create_hub,
    find_hub,
    require_hubs,
    use_hub,
)
from archive.ids import AccountId, ChatId, ChatNo
from archive.publishing import Hub, HubRule
from cli.context import open_toolbox
from cli.exits import ExitCode
from cli.output import emit, say
from resources.telegram.sessions import Lane

if TYPE_CHECKING:
    from resources.telegram.client import TelegramAccount
    from resources.toolbox import Toolbox

_T = TypeVar("_T")

hub_app = typer.Typer(
    no_args_is_help=True, help="The private forums that receive one topic per person."
)

# A marked id begins with a minus and is no option.
_TAKES_IDS = {"ignore_unknown_options": True}
_Account = Annotated[
    int | None, typer.Option(help="The account that posts; needed if several are logged in.")
]


_Instead = Annotated[
    bool, typer.Option("--instead", help="Publish no more into the hubs in use; theirs stays.")
]


@hub_app.command("create")
def create_command(
    title: Annotated[str, typer.Argument(help="Title of the group.")] = DEFAULT_TITLE,
    *,
    account: _Account = None,
    instead: _Instead = False,
) -> None:
    """Make a private forum and publish there from now on; the first hub, or the only one.

    With a hub in use it makes nothing: `hub add --new` makes one beside it, `--instead` one in
    its place.

    For example:

    - `face-archive hub create`
    - `face-archive hub create "Our family"`
    - `face-archive hub create "Only us" --instead`
    """

    async def create(toolbox: Toolbox, telegram: TelegramAccount) -> Hub:
        account_id = telegram.account.account_id
        stores = (toolbox.chats, toolbox.topics)
        return await create_hub(title, account_id, telegram.hub, *stores, instead=instead)

    with open_toolbox() as toolbox:
        hub = asyncio.run(_as_account(toolbox, account, create))
        emit([_row(toolbox, hub)], title="Hub made")
    say("Next: `face-archive publish plan`, or let `face-archive up` publish.")


@hub_app.command("use", context_settings=_TAKES_IDS)
def use_command(
    ref: Annotated[str, typer.Argument(help="Name, marked id or link of a private forum.")],
    *,
    account: _Account = None,
    instead: _Instead = False,
) -> None:
    """Publish into a forum that exists from now on; refused if it is public or a source.

    With another hub in use it changes nothing: `hub add` publishes beside it, `--instead` in its
    place.

    For example:

    - `face-archive hub use -1001234567890`
    - `face-archive hub use -1001234567890 --instead`
    - `face-archive hub use https://t.me/+AbCd…`
    """

    async def use(toolbox: Toolbox, telegram: TelegramAccount) -> Hub:
        account_id = telegram.account.account_id
        parts = (telegram.peers, telegram.hub, toolbox.chats, toolbox.topics)
        return await use_hub(ref, account_id, *parts, instead=instead)

    with open_toolbox() as toolbox:
        hub = asyncio.run(_as_account(toolbox, account, use))
        emit([_row(toolbox, hub)], title="Hub in use")


@hub_app.command("add", context_settings=_TAKES_IDS)
def add_command(
    ref: Annotated[
        str | None, typer.Argument(help="Name, marked id or link of a private forum that exists.")
    ] = None,
    *,
    new: Annotated[str | None, typer.Option(help="Make one of this title instead.")] = None,
    chat: Annotated[
        list[str] | None, typer.Option(help="Only what this chat shows; can be given again.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(help="Only what chats with this tag show; see `chats tag`. Again likewise."),
    ] = None,
    account: _Account = None,
) -> None:
    """Publish into a further forum, beside those in use; again, to change what goes there.

    Without --chat and --tag it takes all chats that no other hub names. Hubs of the same rule
    share people out: whoever has a topic stays, and whoever is new goes to the first that has
    room, so add the next one before a hub is full.

    For example:

    - `face-archive hub add --new "Work" --tag work`
    - `face-archive hub add -1001234567890 --chat @choir --chat -1009876543210`
    - `face-archive hub add --new "People 2"`
    """
    if (ref is None) is (new is None):
        raise typer.BadParameter("Name a forum that exists, or the title of --new, not both.")

    async def add(toolbox: Toolbox, telegram: TelegramAccount) -> Hub:
        account_id = telegram.account.account_id
        rule = HubRule(_chat_nos(toolbox, chat or ()), frozenset(tag or ()))
        stores = (toolbox.chats, toolbox.topics, rule)
        if ref is None:
            return await create_hub(new or DEFAULT_TITLE, account_id, telegram.hub, *stores)
        return await use_hub(ref, account_id, telegram.peers, telegram.hub, *stores)

    with open_toolbox() as toolbox:
        hub = asyncio.run(_as_account(toolbox, account, add))
        emit([_row(toolbox, hub)], title="Hub added")


@hub_app.command("retire", context_settings=_TAKES_IDS)
def retire_command(
    name: Annotated[str, typer.Argument(help="Title or marked id of a hub.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; otherwise only say it.")] = False,
) -> None:
    """Publish no more into a hub; its people go to the others of its rule.

    What is in it stays there, and is corrected no more: delete the group in Telegram if it shows
    what nobody is to see.

    For example:

    - `face-archive hub retire "People 2"`
    - `face-archive hub retire -1001234567890 --yes`
    """
    with open_toolbox() as toolbox:
        hub = find_hub(name, toolbox.topics)
        topics = len(toolbox.topics.projection(hub.hub_no).actual.topics)
        if yes:
            toolbox.topics.retire(hub.hub_no)
        emit([_row(toolbox, hub) | {"topics_left_there": topics, "in_use": not yes}], title="Hub")
    if not yes:
        say("Nothing was changed: run again with --yes.")


@hub_app.command("list")
def list_command() -> None:
    """List the hubs that were made or chosen, with what goes where; those in use come first.

    For example:

    - `face-archive hub list`
    """
    with open_toolbox() as toolbox:
        rows = [_row(toolbox, hub) for hub in toolbox.topics.hubs()]
    emit(rows, title="Hubs", empty="No hub yet: run `face-archive hub create`.")


@hub_app.command("check")
def check_command() -> None:
    """Ask Telegram whether the hubs in use can be written to; exits with 1 if one cannot.

    For example:

    - `face-archive hub check`
    """
    with open_toolbox() as toolbox:
        configured = toolbox.settings.hub_group_id
        hubs = require_hubs(toolbox.topics, None if configured is None else ChatId(configured))
        found = [_checked(toolbox, hub) for hub in hubs]
        emit((_row(toolbox, each.hub) | _rights(each) for each in found), title="Hubs")
    reasons = [f"{e.hub.chat.title}: {e.blocked_reason}" for e in found if e.blocked_reason]
    for reason in reasons:
        say(reason)
    if reasons:
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


def _checked(toolbox: Toolbox, hub: Hub) -> HubCheck:
    async def check(toolbox: Toolbox, telegram: TelegramAccount) -> HubCheck:
        return await check_hub(hub, telegram.hub, toolbox.topics)

    return asyncio.run(_as_account(toolbox, hub.chat.account_id, check))


def _rights(found: HubCheck) -> dict[str, object]:
    return {} if found.rights is None else dataclasses.asdict(found.rights)


def _chat_nos(toolbox: Toolbox, names: Iterable[str]) -> frozenset[ChatNo]:
    return frozenset(toolbox.chats.find(name).chat_no for name in names)


def _row(toolbox: Toolbox, hub: Hub) -> dict[str, object]:
    titles = {chat.chat_no: chat.title for chat in toolbox.chats.list()}
    chats = [titles.get(chat_no, str(chat_no)) for chat_no in sorted(hub.rule.chat_nos)]
    return {
        "title": hub.chat.title,
        "chat_id": hub.chat.chat_id,
        "in_use": hub.in_use,
        "state": hub.state,
        "chats": [*chats, *(f"#{tag}" for tag in sorted(hub.rule.tags))] or "all others",
        "account": hub.chat.account_id,
    }
