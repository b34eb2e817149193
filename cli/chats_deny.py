"""`face-archive chats deny`: switching off, and erasing what nobody allows any more.

Shows and asks; what goes with a switch is `archive.chats`, what is erased `archive.deletions`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from archive.chats import deny
from archive.deletions import Losses, erase_lost
from archive.records import Chat, Switches
from cli.chat_rows import allowed, switch_row
from cli.context import open_toolbox
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_NOTHING = Losses(0, 0, 0, 0)


def deny_command(
    chat: Annotated[
        str, typer.Argument(metavar="CHAT", help="Number, @name, marked id, link or title.")
    ],
    *,
    archive: Annotated[
        bool, typer.Option("--archive", help="Stop reading it; faces and publish go off with it.")
    ] = False,
    faces: Annotated[
        bool, typer.Option("--faces", help="Erase its faces; publish goes off with it.")
    ] = False,
    publish: Annotated[bool, typer.Option("--publish", help="Publish nothing more of it.")] = False,
    keep_originals: Annotated[
        bool,
        typer.Option("--keep-originals", help="Keep no more files as they are; kept ones stay."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be erased.")
    ] = False,
) -> None:
    """Switch off what must not be done with a chat any more; without a switch, everything.

    New work stops at once. With the faces go their crops, their vectors and whose they are, for
    every photo and video that no other chat allows to be searched; with the archive their
    thumbnails too. That cannot be undone: allowing the chat again looks for the faces anew.
    Messages stay stored, and what was posted stays in the hub: delete its posts there by hand.

    For example:

    - `face-archive chats deny @name --faces --dry-run`
    - `face-archive chats deny @name --publish`
    - `face-archive chats deny @name --yes`
    """
    switches = Switches(archive, faces, publish, keep_originals)
    if switches == Switches():
        switches = Switches(archive=True, faces=True, publish=True, keep_originals=True)
    with open_toolbox() as toolbox:
        found = toolbox.chats.find(chat)
        losses = _losses(toolbox, found, switches)
        if dry_run:
            emit([_row(found, losses)], title="Would be erased")
            return
        if not yes:
            _ask(found, switches, losses)
        denied = deny(found, switches, toolbox.chats)
        erased = erase_lost(toolbox.deletions, toolbox.blobs, now=datetime.now(UTC))
    row = {"erased_contents": erased.contents, "erased_faces": erased.faces}
    emit([switch_row(denied) | row], title="Denied")


def _losses(toolbox: Toolbox, chat: Chat, switches: Switches) -> Losses:
    if not (switches.archive or switches.faces):
        return _NOTHING
    return toolbox.deletions.losses(chat.chat_no, archive=switches.archive)


def _ask(chat: Chat, switches: Switches, losses: Losses) -> None:
    if losses != _NOTHING:
        say(
            f"This erases {losses.faces} faces of {losses.people} people in {losses.contents} "
            f"photos and videos that no other chat allows; {losses.people_gone} of the people "
            "have no other face. It cannot be undone."
        )
    question = f"{chat.title}: switch {', '.join(allowed(switches))} off?"
    typer.confirm(question, default=False, abort=True, err=True)


def _row(chat: Chat, losses: Losses) -> dict[str, object]:
    return {
        "chat_no": chat.chat_no,
        "title": chat.title,
        "contents": losses.contents,
        "faces": losses.faces,
        "people": losses.people,
        "people_gone": losses.people_gone,
    }
