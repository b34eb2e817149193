"""`face-archive stats plot`: what the warehouse knows about people, as a picture.

Reads what a person typed and writes a file; drawing is `resources.plots`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.output import say
from cli.stats_subjects import meant
from cli.warehouse_answers import in_a_folder, the_warehouse
from resources.plots.asking import Plot, Wanted, draw
from resources.plots.figures import as_png, as_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN: Final[dict[str, Callable[[Figure], bytes]]] = {".png": as_png, ".svg": as_svg}


def plot_command(
    kind: Annotated[
        Plot,
        typer.Argument(
            metavar="KIND",
            help=(
                "`people` over time, who is seen `together` (a network), or a `calendar` with a "
                "square a day."
            ),
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            callback=in_a_folder, help="Where the picture goes; .png or .svg, by its ending."
        ),
    ],
    person: Annotated[
        str | None,
        typer.Option(help="Only this person: number (12 or #12), name, or id; not for `people`."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC); not for `together`."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Most people (8) or pairs (60); not for `calendar`.", min=1, max=500),
    ] = None,
    names: Annotated[
        bool, typer.Option(help="Call people by their names; else by the beginning of their ids.")
    ] = True,
) -> None:
    """Draw people over time, who is seen with whom, or a calendar, into a file.

    For example:

    - `face-archive stats plot people --output people.png`
    - `face-archive stats plot together --limit 30 --no-names --output network.svg`
    - `face-archive stats plot calendar --person "Ada" --output ada.png`
    """
    given = {"person": person, "since": since, "limit": limit}
    for name, value in given.items():
        if value is not None and name not in kind.takes:
            raise typer.BadParameter(f"`{kind}` cannot be narrowed by it.", param_hint=f"--{name}")
    drawn = _DRAWN.get(output.suffix.lower())
    if drawn is None:
        raise typer.BadParameter("a picture ends in .png or .svg.", param_hint="--output")
    wanted = Wanted(
        limit=limit,
        person=meant(person=person).identity_id,
        since=since.date() if since else None,
        names=names,
    )
    output.write_bytes(drawn(draw(kind, the_warehouse(), wanted)))
    say(f"The picture is in {output}.")


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("plot")(plot_command)
