"""`face-archive identities name | confirm | reject | begin | not-a-face | cover | hide | …`.

The corrections that touch few faces at once; moving many is `identities_move`. Reads what a
person typed and prints what was decided; the rules are `archive.correcting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archive.correcting import (
    Act,
    assign,
    begin,
    choose_cover,
    hide,
    not_a_face,
    reject,
    rename,
    show,
)
from archive.ids import IdentityId
from cli.context import open_toolbox
from cli.deciding import (
    FaceNames,
    Instead,
    PersonName,
    PersonNames,
    act_of,
    decide,
    faces_of,
    person_of,
    tell,
)
from cli.exits import ExitCode
from cli.output import say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def name_command(
    person: PersonName,
    name: Annotated[str | None, typer.Argument(help="At most 100 characters.")] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take the name away.")] = False,
) -> None:
    """Give a person a name, or take it away.

    For example:

    - `face-archive identities name 12 "Ada Lovelace"`
    - `face-archive identities name "Ada Lovelace" --remove`
    """
    if remove == (name is not None):
        say("Give a name, or --remove.")
        raise typer.Exit(ExitCode.USAGE)
    with open_toolbox() as toolbox:
        card = person_of(toolbox, person)
        whose, act = card.identity.identity_id, act_of("name", card)
        tell(toolbox, decide(toolbox, lambda desk: rename(desk, whose, name, act)))


def confirm_command(person: PersonName, faces: FaceNames, *, instead: Instead = False) -> None:
    """Say that faces are a person's: no later run moves them.

    For example:

    - `face-archive identities confirm 12 3fa94c21`
    - `face-archive identities confirm "Ada Lovelace" 3fa94c21 91b0aa07 --instead`
    """
    with open_toolbox() as toolbox:
        card, chosen = person_of(toolbox, person), faces_of(toolbox, faces)
        goal, act = card.identity.identity_id, act_of("confirm", card)
        tell(
            toolbox,
            decide(toolbox, lambda desk: assign(desk, chosen, goal, act, instead=instead)),
        )


def reject_command(person: PersonName, faces: FaceNames, *, instead: Instead = False) -> None:
    """Say that faces are not a person's: no later run puts them there.

    For example:

    - `face-archive identities reject 12 3fa94c21`
    """
    with open_toolbox() as toolbox:
        card, chosen = person_of(toolbox, person), faces_of(toolbox, faces)
        source, act = card.identity.identity_id, act_of("reject", card)
        tell(
            toolbox,
            decide(toolbox, lambda desk: reject(desk, chosen, source, act, instead=instead)),
        )


def begin_command(
    faces: FaceNames,
    *,
    name: Annotated[str | None, typer.Option(help="What the person is called.")] = None,
) -> None:
    """Let faces be a person of their own, such as somebody of whom there is one picture.

    For example:

    - `face-archive identities begin 3fa94c21 91b0aa07 --name "Great-aunt Ida"`
    """
    with open_toolbox() as toolbox:
        chosen, act = faces_of(toolbox, faces), act_of("begin")
        with toolbox.corrections.correcting() as desk:
            begun = begin(desk, chosen, toolbox.engine_spec.model_name, act)
            named = rename(desk, begun.begun, name, act) if name and begun.begun else None
        tell(toolbox, begun, named)


def not_a_face_command(faces: FaceNames) -> None:
    """Say that faces are none: a pattern, a statue, a poster; they are shown no more.

    For example:

    - `face-archive identities not-a-face 3fa94c21`
    """
    with open_toolbox() as toolbox:
        chosen, act = faces_of(toolbox, faces), act_of("not-a-face")
        tell(toolbox, decide(toolbox, lambda desk: not_a_face(desk, chosen, act)))


def cover_command(
    person: PersonName,
    face: Annotated[str | None, typer.Argument(help="One of the person's faces.")] = None,
    *,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="Leave the choice to the archive.")
    ] = False,
) -> None:
    """Choose the face by which a person is shown.

    For example:

    - `face-archive identities cover 12 3fa94c21`
    - `face-archive identities cover 12 --automatic`
    """
    if automatic == (face is not None):
        say("Give a face, or --automatic.")
        raise typer.Exit(ExitCode.USAGE)
    with open_toolbox() as toolbox:
        card = person_of(toolbox, person)
        chosen = faces_of(toolbox, [face])[0] if face else None
        whose, act = card.identity.identity_id, act_of("cover", card)
        tell(toolbox, decide(toolbox, lambda desk: choose_cover(desk, whose, chosen, act)))


def hide_command(people: PersonNames) -> None:
    """Show people nowhere; faces like theirs still go to them, and to nobody else.

    For example:

    - `face-archive identities hide 31 32 40`
    """
    with open_toolbox() as toolbox:
        ids, act = _people(toolbox, "hide", people)
        tell(toolbox, decide(toolbox, lambda desk: hide(desk, ids, act)))


def show_again_command(people: PersonNames) -> None:
    """Show hidden people again.

    For example:

    - `face-archive identities show-again 31`
    """
    with open_toolbox() as toolbox:
        ids, act = _people(toolbox, "show-again", people)
        tell(toolbox, decide(toolbox, lambda desk: show(desk, ids, act)))


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command("name")(name_command)
    app.command("confirm")(confirm_command)
    app.command("reject")(reject_command)
    app.command("begin")(begin_command)
    app.command("not-a-face")(not_a_face_command)
    app.command("cover")(cover_command)
    app.command("hide")(hide_command)
    app.command("show-again")(show_again_command)


def _people(toolbox: Toolbox, verb: str, texts: list[str]) -> tuple[list[IdentityId], Act]:
    cards = [person_of(toolbox, text) for text in texts]
    return [card.identity.identity_id for card in cards], act_of(verb, *cards)
