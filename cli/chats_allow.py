"""`face-archive chats allow`: what may be done with chats, and what that will take.

Chooses, shows the costs and asks; the rules of the switches are `archive.chats`, their words are
here, and what reading costs is `cli.backfill_plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from archive.records import SEARCHABLE_KINDS, Chat, MediaKind, OnDeletion, Switches
from cli.chat_rows import allowed
from cli.chats_choose import Choice, chosen_chats
from cli.chats_switch import Wish, show_costs, switched
from cli.context import open_toolbox
from cli.exits import ExitCode
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

SWITCHES_HELP = (
    "Everything is off until you allow it, each on its own:",
    "  --archive  read the chat's messages and fingerprint its photos and videos",
    "  --faces    look for faces in them, and let those take part in finding people",
    "  --publish  show them in the hub, in the topics of the people they show",
    "  --keep-originals  keep its files as they are: photos, videos, voice, documents",
    "Example: face-archive chats allow @name --archive --faces",
)
_MEGABYTE = 1_000_000


def allow_command(
    chats: Annotated[
        list[str] | None,
        typer.Argument(metavar="CHAT", help="Number, @name, marked id, link or title; several."),
    ] = None,
    *,
    folder: Annotated[
        str | None, typer.Option(metavar="NAME", help="The chats of this folder of your app.")
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Chats whose title is like `*family*`; ? is a sign."),
    ] = None,
    account: Annotated[
        int | None,
        typer.Option(help="Only chats of this account; whose folder it is, if there are several."),
    ] = None,
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what reading would take; change nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Neither estimate nor ask: for scripts.")
    ] = False,
) -> None:
    """Switch on what may be done with chats, and plan their windows.

    What is not named stays as it is. Before a chat is archived that was not, it shows how much
    that is and how long it will take, and asks. Without any switch it says what each one does.

    For example:

    - `face-archive chats allow @name --archive --faces`
    - `face-archive chats allow --folder Family --archive --faces --dry-run`
    - `face-archive chats allow --title "*holiday*" --archive --faces --yes`
    - `face-archive chats allow -1001234567890 --archive --no-backfill --media-types photo`
    """
    wish = Wish(
        Switches(archive, faces, publish, keep_originals),
        hold_backfill=None if backfill is None else not backfill,
        media_types=_kinds(media_types),
        max_media_bytes=None if max_size_mb is None else int(max_size_mb * _MEGABYTE),
        on_deletion=on_deletion,
    )
    if wish == Wish():
        say(*SWITCHES_HELP)
        raise typer.Exit(ExitCode.USAGE)
    choice = Choice(tuple(chats or ()), folder, title, account)
    if not choice.says_something:
        raise typer.BadParameter("Name chats, or say --folder or --title.")
    with open_toolbox() as toolbox:
        chosen = chosen_chats(toolbox, choice)
        if dry_run:
            show_costs(toolbox, chosen)
            return
        if not yes:
            _ask(toolbox, chosen, wish)
        after = switched(toolbox, chosen, wish)
    emit(after.rows, title="Allowed")
    say(*after.remarks)


def _ask(toolbox: Toolbox, chats: Sequence[Chat], wish: Wish) -> None:
    """Say what it means before something is read that was not, or several chats are changed."""
    anew = wish.archives_anew(chats)
    if anew:
        show_costs(toolbox, anew, beside=True)
    if anew or len(chats) > 1:
        wanted = ", ".join(allowed(wish.switches)) or "these settings"
        named = repr(chats[0].title) if len(chats) == 1 else f"these {len(chats)} chats"
        typer.confirm(f"Allow {wanted} for {named}?", abort=True, err=True)


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
