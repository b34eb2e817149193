"""`face-archive chats`: which chats the archive knows, and what it may do with each.

Shows and asks; the rules of the three switches are `archive.chats`, their words are here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from archive.chats import add_chat, allow
from archive.history import PlannedWindows
from archive.ids import AccountId
from archive.records import SEARCHABLE_KINDS, Chat, MediaKind, OnDeletion, PeerInfo, Switches
from cli.chat_rows import chat_rows, dialog_row, switch_row
from cli.chats_deny import deny_command
from cli.context import open_toolbox
from cli.deletions import deletions_command
from cli.exits import ExitCode
from cli.output import emit, progress, say
from cli.windows import plan_chats
from resources.telegram.sessions import Lane

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

chats_app = typer.Typer(
    no_args_is_help=True, help="Which chats there are, and what may be done with each."
)

SWITCHES_HELP = (
    "Everything is off until you allow it, each on its own:",
    "  --archive  read the chat's messages and fingerprint its photos and videos",
    "  --faces    look for faces in them, and let those take part in finding people",
    "  --publish  show them in the hub, in the topics of the people they show",
    "  --keep-originals  keep its files as they are: photos, videos, voice, documents",
    "Example: face-archive chats allow @name --archive --faces",
)
_MEGABYTE = 1_000_000

# A marked id begins with a minus and is no option.
_TAKES_IDS = {"ignore_unknown_options": True}
_Account = Annotated[
    int | None, typer.Option(help="The account to look with; needed if several are logged in.")
]
_ChatName = Annotated[
    str, typer.Argument(metavar="CHAT", help="Number, @name, marked id, link or title.")
]


@chats_app.command("list")
def list_command(
    *,
    discover: Annotated[
        bool,
        typer.Option("--discover", help="Ask Telegram for the account's newest dialogs instead."),
    ] = False,
    limit: Annotated[int, typer.Option(help="How many dialogs to ask for.", min=1, max=500)] = 100,
    account: _Account = None,
) -> None:
    """List the chats that were added, with their switches and windows.

    With `--discover` the newest dialogs of the account, so that one can be added; nothing is
    stored.

    For example:

    - `face-archive chats list`
    - `face-archive chats list --discover --limit 20`
    """
    with open_toolbox() as toolbox:
        chats = toolbox.chats.list()
        if discover:
            dialogs = asyncio.run(_dialogs(toolbox, account, limit))
            known = {chat.chat_id for chat in chats}
            emit((dialog_row(peer, known) for peer in dialogs), title="Newest dialogs")
            say("Next: `face-archive chats add` with a username or chat id from this list.")
            return
        rows = chat_rows(chats, toolbox.overview.chats(), toolbox.deletions.waiting())
    emit(
        rows,
        title="Chats",
        empty="No chat yet: run `face-archive chats add @name`.",
        hide=("username", "messages"),
    )


@chats_app.command("add", context_settings=_TAKES_IDS)
def add_command(
    refs: Annotated[
        list[str],
        typer.Argument(metavar="REF", help="@name, marked id, t.me link, or invite link."),
    ],
    *,
    account: _Account = None,
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


@chats_app.command("allow", context_settings=_TAKES_IDS)
def allow_command(
    chat: _ChatName,
    *,
    archive: Annotated[
        bool, typer.Option("--archive", help="Read its messages, fingerprint its media.")
    ] = False,
    faces: Annotated[bool, typer.Option("--faces", help="Look for faces, find people.")] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Show what was found in the hub.")
    ] = False,
    keep_originals: Annotated[
        bool, typer.Option("--keep-originals", help="Keep its files as they are.")
    ] = False,
    backfill: Annotated[
        bool | None,
        typer.Option(
            "--backfill/--no-backfill",
            help="Let `up` submit the old windows by itself (the default), or hold them.",
        ),
    ] = None,
    media_types: Annotated[
        str | None,
        typer.Option(
            help="Kinds to fetch, comma-separated: "
            + ", ".join(sorted(kind.value for kind in SEARCHABLE_KINDS))
            + ". All of them, if never set.",
        ),
    ] = None,
    max_size_mb: Annotated[
        float | None,
        typer.Option(help="Largest file to fetch in MB; MAX_MEDIA_SIZE_MB, if never set.", min=0.1),
    ] = None,
    on_deletion: Annotated[
        OnDeletion | None,
        typer.Option(
            help="What a message's deletion does to its faces and posts, earlier ones included: "
            "keep them, hide them (if never set), or erase the faces for good."
        ),
    ] = None,
) -> None:
    """Switch on what may be done with a chat, and plan its windows.

    What is not named stays as it is. Without any switch it says what each one does.

    For example:

    - `face-archive chats allow @name --archive --faces`
    - `face-archive chats allow @name --archive --keep-originals`
    - `face-archive chats allow -1001234567890 --archive --no-backfill --media-types photo`
    """
    kinds = _kinds(media_types)
    switches = Switches(archive, faces, publish, keep_originals)
    others = (backfill, kinds, max_size_mb, on_deletion)
    if switches == Switches() and all(other is None for other in others):
        say(*SWITCHES_HELP)
        raise typer.Exit(ExitCode.USAGE)
    with open_toolbox() as toolbox:
        after = allow(
            toolbox.chats.find(chat),
            switches,
            toolbox.chats,
            hold_backfill=None if backfill is None else not backfill,
            media_types=kinds,
            max_media_bytes=None if max_size_mb is None else int(max_size_mb * _MEGABYTE),
            on_deletion=on_deletion,
        )
        say(f"{after.title}: the switches are stored.")
        planned = _plan(toolbox, after) if after.switches.archive else None
    emit([_allowed_row(after, planned)], title="Allowed")
    _say_what_follows(after, planned)


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    chats_app.command("deletions", context_settings=_TAKES_IDS)(deletions_command)
    chats_app.command("deny", context_settings=_TAKES_IDS)(deny_command)
    app.add_typer(chats_app, name="chats")


async def _dialogs(toolbox: Toolbox, account: int | None, limit: int) -> list[PeerInfo]:
    async with toolbox.telegram(Lane.LIVE, _account_id(account)) as telegram:
        return await telegram.peers.dialogs(limit)


async def _add(toolbox: Toolbox, refs: list[str], account: int | None) -> list[Chat]:
    async with toolbox.telegram(Lane.LIVE, _account_id(account)) as telegram:
        account_id = telegram.account.account_id
        return [await add_chat(ref, account_id, telegram.peers, toolbox.chats) for ref in refs]


def _plan(toolbox: Toolbox, chat: Chat) -> PlannedWindows:
    with progress("Planning windows") as advance:
        return asyncio.run(plan_chats(toolbox, [chat], advance)).get(
            chat.chat_no, PlannedWindows((), 0)
        )


def _allowed_row(chat: Chat, planned: PlannedWindows | None) -> dict[str, object]:
    new = len(planned.windows) if planned else 0
    held, on_deletion = chat.hold_backfill, str(chat.on_deletion)
    return {**switch_row(chat), "held": held, "on_deletion": on_deletion, "new_windows": new}


def _say_what_follows(chat: Chat, planned: PlannedWindows | None) -> None:
    if planned is None:
        say("Nothing is read before --archive is allowed.")
    elif planned.stopped_reason == "lost":
        say("The account cannot read it now: `face-archive chats list` says why.")
    elif chat.hold_backfill:
        say(f"Its windows are held: `face-archive backfill {chat.chat_no}` submits them.")
    else:
        say(
            "`face-archive up` (or `make up`) submits them newest first within half a minute; "
            f"`face-archive backfill {chat.chat_no}` does it as one backfill."
        )


def _kinds(text: str | None) -> frozenset[MediaKind] | None:
    """Read the kinds that a person listed."""
    if text is None:
        return None
    names = {name.strip() for name in text.split(",") if name.strip()}
    known = {kind.value: kind for kind in SEARCHABLE_KINDS}
    if not names or names - known.keys():
        raise typer.BadParameter(
            f"{', '.join(sorted(names - known.keys())) or 'nothing'} is no kind of medium here. "
            f"There are: {', '.join(sorted(known))}.",
            param_hint="--media-types",
        )
    return frozenset(known[name] for name in names)


def _account_id(account: int | None) -> AccountId | None:
    return None if account is None else AccountId(account)
