"""`face-archive chats deletions`: deletions that were too many at once, and what a person decides.

Shows and asks; what a deletion does is `archive.deletions`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from archive.deletions import Decision, HeldDeletions, erase_lost
from archive.records import Chat, OnDeletion
from cli.context import open_toolbox
from cli.exits import ExitCode
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def deletions_command(
    chat: Annotated[
        str, typer.Argument(metavar="CHAT", help="Number, @name, marked id, link or title.")
    ],
    *,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="They are meant: do what the chat's setting says.")
    ] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="They are not: go on as if nothing was deleted.")
    ] = False,
) -> None:
    """Show the deletions of a chat that wait for you, and decide about all of them.

    More than `FACE_ARCHIVE_DELETION_BURST` within ten minutes change nothing until you do.
    Neither answer changes anything in Telegram. Where the chat's setting is `erase`, a confirmed
    deletion cannot be taken back.

    For example:

    - `face-archive chats deletions @name`
    - `face-archive chats deletions @name --restore`
    """
    if confirm and restore:
        say("Choose one of --confirm and --restore.")
        raise typer.Exit(ExitCode.USAGE)
    with open_toolbox() as toolbox:
        found = toolbox.chats.find(chat)
        waiting = _waiting(toolbox, found)
        if confirm or restore:
            _decide(toolbox, found, "confirmed" if confirm else "restored")
            return
    emit(
        [_row(found, each) for each in waiting],
        title="Deletions that wait for you",
        empty=f"No deletion of {found.title} waits for you.",
    )


def _waiting(toolbox: Toolbox, chat: Chat) -> list[HeldDeletions]:
    return [each for each in toolbox.deletions.waiting() if each.chat_no == chat.chat_no]


def _decide(toolbox: Toolbox, chat: Chat, decision: Decision) -> None:
    decided = toolbox.deletions.decide(chat.chat_no, decision)
    erased = erase_lost(toolbox.deletions, toolbox.blobs, now=datetime.now(UTC))
    emit(
        [
            {
                "chat_no": chat.chat_no,
                "title": chat.title,
                "decision": decision,
                "messages": decided,
                "erased_contents": erased.contents,
                "erased_faces": erased.faces,
            }
        ],
        title="Decided",
    )
    if decision == "confirmed" and chat.on_deletion is OnDeletion.ERASE:
        say("Faces are erased ten minutes after their deletion was seen: now, or by the next run.")


def _row(chat: Chat, held: HeldDeletions) -> dict[str, object]:
    return {
        "chat_no": chat.chat_no,
        "title": chat.title,
        "messages": held.messages,
        "first_seen": f"{held.first_seen_at:%Y-%m-%d %H:%M} UTC",
        "last_seen": f"{held.last_seen_at:%Y-%m-%d %H:%M} UTC",
        "on_deletion": str(chat.on_deletion),
    }
