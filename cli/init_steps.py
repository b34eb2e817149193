"""What `init` does after the settings: a source, its chats, perhaps a hub, the first windows.

Each step looks at what is there to see whether it is done, so that `init` goes on wherever it was
left; none keeps a note of its own. The work is that of other commands: `login`, `import`, `chats
discover` and `allow`, `hub create`, and the jobs of `catch-up`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from archive.errors import Permanent
from archive.hubs import DEFAULT_TITLE
from archive.records import Chat, Switches
from cli.chat_rows import switch_row
from cli.chats_choose import Choice, chosen_chats
from cli.chats_discover import discover_chats
from cli.chats_switch import Wish, show_costs, switched
from cli.context import open_toolbox
from cli.init_settings import settle_application
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_SHOWN: Final = 40
_ARCHIVE_AND_FACES: Final = Wish(Switches(archive=True, faces=True))


class Source(StrEnum):
    """Where chats come from."""

    ACCOUNT = "account"
    EXPORT = "export"
    FOLDER = "folder"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What flags said about the steps.

    Attributes:
        chats: Names and patterns of titles.
        hub: Title of a hub to make; empty for none, ``None`` where nothing was said.
        ask: Whether a person answers what is missing.
    """

    env_file: Path
    phone: str | None = None
    export: Path | None = None
    folder: Path | None = None
    chats: tuple[str, ...] = ()
    hub: str | None = None
    ask: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        is_done: Looks at what is there.
        take: Does it; returns what to do instead where it cannot be done now.
    """

    name: str
    is_done: Callable[[Toolbox], bool]
    take: Callable[[Wanted], str | None]


def steps() -> Sequence[Step]:
    """Return the steps in their order."""
    return (
        Step("a source", _has_source, _take_source),
        Step("chats", lambda toolbox: bool(toolbox.chats.allowed()), _take_chats),
        Step("a hub", _hub_is_decided, _take_hub),
    )


def _has_source(toolbox: Toolbox) -> bool:
    return bool(toolbox.sessions.accounts()) or bool(toolbox.chats.allowed())


def _take_source(wanted: Wanted) -> str | None:
    # Importing and logging in bring half the program with them.
    from cli.importing import import_command
    from cli.login import login_command

    match _source(wanted):
        case Source.ACCOUNT:
            if not settle_application(wanted.env_file, ask=wanted.ask):
                return "Get api_id and api_hash there and run `face-archive init` again."
            login_command(phone=wanted.phone)
        case Source.EXPORT:
            import_command(_folder(wanted.export, "Folder of the export"))
        case Source.FOLDER:
            import_command(_folder(wanted.folder, "Folder of pictures"), pictures=True)
        case Source.LATER:
            return "Next: `face-archive login`, or `face-archive import FOLDER`."
    return None


def _source(wanted: Wanted) -> Source:
    if wanted.export is not None:
        return Source.EXPORT
    if wanted.folder is not None:
        return Source.FOLDER
    if wanted.phone is not None:
        return Source.ACCOUNT
    if not wanted.ask:
        return Source.LATER
    say(
        "Where are your chats?",
        "  account: in Telegram; you log in with one code, as on any device",
        "  export: on a disk, exported by Telegram Desktop as JSON; no account is needed",
        "  folder: no chats, a folder of pictures",
    )
    return Source(typer.prompt("Source", default=Source.ACCOUNT.value, type=Source, err=True))


def _folder(given: Path | None, question: str) -> Path:
    return given or Path(typer.prompt(question, err=True)).expanduser()


def _take_chats(wanted: Wanted) -> str | None:
    if not wanted.chats and not wanted.ask:
        return "Next: `face-archive chats discover`, then `face-archive chats allow`."
    with open_toolbox() as toolbox:
        discover_chats(toolbox)
        chats = _chats(toolbox, wanted)
        if wanted.ask:
            show_costs(toolbox, chats, beside=True)
            typer.confirm("Archive these, and look for faces in them?", abort=True, err=True)
        after = switched(toolbox, chats, _ARCHIVE_AND_FACES)
    emit(after.rows, title="Allowed")
    return None


def _chats(toolbox: Toolbox, wanted: Wanted) -> list[Chat]:
    if wanted.chats:
        return _meant(toolbox, wanted.chats)
    known = [chat for chat in toolbox.chats.known() if not chat.is_hub]
    if not known:
        raise Permanent("The account is in no chat yet: join one, then run `face-archive init`.")
    emit(map(switch_row, known[:_SHOWN]), title="Your chats", hide=("allowed",), beside=True)
    if len(known) > _SHOWN:
        say(f"{len(known) - _SHOWN} more: `face-archive chats list --all` shows them.")
    while True:
        answer = typer.prompt("Which? Numbers, titles or *patterns*, with commas", err=True)
        try:
            return _meant(toolbox, tuple(filter(None, map(str.strip, answer.split(",")))))
        except Permanent as error:
            say(str(error))


def _meant(toolbox: Toolbox, texts: Sequence[str]) -> list[Chat]:
    found: list[Chat] = []
    for text in texts:
        is_pattern = bool({"*", "?"} & set(text))
        choice = Choice(title=text) if is_pattern else Choice(names=(text,))
        found += chosen_chats(toolbox, choice)
    return list({chat.chat_no: chat for chat in found}.values())


def _hub_is_decided(toolbox: Toolbox) -> bool:
    """Whether there is one, or reading began without: only an account can have one."""
    began = any(each.windows_read for each in toolbox.overview.chats())
    return began or bool(toolbox.topics.hubs()) or not toolbox.sessions.accounts()


def _take_hub(wanted: Wanted) -> str | None:
    title = wanted.hub
    if title is None and wanted.ask:
        question = "Publish each person as a topic of a private group that is made for it?"
        if typer.confirm(question, default=False, err=True):
            title = typer.prompt("Its title", default=DEFAULT_TITLE, err=True)
    if not title:
        return None
    from cli.hub import create_command

    create_command(title)
    with open_toolbox() as toolbox:
        sources = [chat for chat in toolbox.chats.allowed() if chat.switches.faces]
        emit(switched(toolbox, sources, Wish(Switches(publish=True))).rows, title="Published")
    return None
