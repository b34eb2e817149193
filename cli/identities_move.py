"""`face-archive identities merge` and `split`: corrections that may move many faces.

Each is tried first, so that what it would move is known before it is asked about.
"""

from __future__ import annotations

from typing import Annotated

import typer

from archive.correcting import merge, split
from cli.context import open_toolbox
from cli.deciding import (
    DryRun,
    FaceNames,
    PersonName,
    PersonNames,
    Yes,
    act_of,
    decide_carefully,
    faces_of,
    person_of,
)


def merge_command(
    person: PersonName, others: PersonNames, *, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Say that people are one: the faces of the others go to the first, and their numbers too.

    For example:

    - `face-archive identities merge 12 31 40 --dry-run`
    - `face-archive identities merge "Ada Lovelace" 31 --yes`
    """
    with open_toolbox() as toolbox:
        staying = person_of(toolbox, person)
        absorbed = [person_of(toolbox, other) for other in others]
        act = act_of("merge", staying, *absorbed)
        ids = [card.identity.identity_id for card in absorbed]
        decide_carefully(
            toolbox,
            lambda desk: merge(desk, ids, staying.identity.identity_id, act),
            yes=yes,
            dry_run=dry_run,
        )


def split_command(
    person: PersonName,
    faces: FaceNames,
    *,
    to: Annotated[
        str | None, typer.Option(metavar="PERSON", help="Whose they are; else somebody new.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Say that some faces of a person are somebody else's, and keep the two apart.

    For example:

    - `face-archive identities split 12 3fa94c21 91b0aa07`
    - `face-archive identities split 12 3fa94c21 --to "Ada Lovelace" --dry-run`
    """
    with open_toolbox() as toolbox:
        source, chosen = person_of(toolbox, person), faces_of(toolbox, faces)
        goal = person_of(toolbox, to) if to else None
        act = act_of("split", source, *([goal] if goal else []))
        decide_carefully(
            toolbox,
            lambda desk: split(
                desk,
                source.identity.identity_id,
                chosen,
                act,
                into=goal.identity.identity_id if goal else None,
            ),
            yes=yes,
            dry_run=dry_run,
        )


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command("merge")(merge_command)
    app.command("split")(split_command)
