"""`face-archive identities`: who there is, and the group of all that is done with people.

Each part of the group is a module with `register`; here the group is put together, and people are
listed and shown.
"""

from __future__ import annotations

from typing import Annotated

import typer

from archive.finding import find_identity
from archive.identity.records import IdentityState
from archive.searching import EVERYTHING
from cli import (
    identities_correct,
    identities_draw,
    identities_log,
    identities_move,
    identities_suggest,
    portability,
    recluster,
)
from cli.context import open_toolbox
from cli.identity_rows import card_row, face_row
from cli.output import emit

identities_app = typer.Typer(no_args_is_help=True, help="Who there is, and every correction.")

# In the order in which somebody needs them.
PARTS = (
    identities_correct,
    identities_move,
    identities_draw,
    identities_suggest,
    identities_log,
    recluster,
    portability,
)


@identities_app.command("list")
def list_command(
    *,
    hidden: Annotated[bool, typer.Option("--hidden", help="Hidden people too.")] = False,
    unnamed: Annotated[
        bool, typer.Option("--unnamed", help="Only people whom nobody named yet.")
    ] = False,
) -> None:
    """List the people that a chat which allows faces still shows, by number.

    For example:

    - `face-archive identities list`
    - `face-archive identities list --unnamed`
    """
    states = [IdentityState.VISIBLE, *([IdentityState.HIDDEN] if hidden else [])]
    with open_toolbox() as toolbox:
        cards = toolbox.register.everybody(*states)
    emit(
        (
            card_row(card)
            for card in cards
            if card.faces and not (unnamed and card.identity.label is not None)
        ),
        title="People",
        empty="Nobody yet: `face-archive identify` looks at the faces there are.",
        hide=("identity_id", "version", "cover"),
    )


@identities_app.command("show")
def show_command(
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="Number (12 or #12), name, or id.")
    ],
    *,
    limit: Annotated[int, typer.Option(help="Most faces to show.", min=1)] = 50,
) -> None:
    """Show a person and their faces: those that you decided about first, then the best.

    The first eight digits of a face are enough to name it to other commands.

    For example:

    - `face-archive identities show 12`
    - `face-archive identities show "Ada Lovelace" --limit 200`
    """
    with open_toolbox() as toolbox:
        card = find_identity(toolbox.register, person)
        faces = toolbox.register.members(card.identity.identity_id, limit=limit)
        seen = toolbox.face_search.sightings([face.face_id for face in faces], EVERYTHING)
        chats = {chat.chat_no: chat for chat in toolbox.chats.list()}
    emit([card_row(card)], title="Person")
    emit(
        (face_row(face, seen.get(face.face_id), chats) for face in faces),
        title="Faces",
        empty="No face that an allowed chat shows.",
        hide=("chat_no", "message_id", "more_messages", "content_key", "face_id", "box"),
    )


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    for part in PARTS:
        part.register(identities_app)
    app.add_typer(identities_app, name="identities")
