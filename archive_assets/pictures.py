"""What the marts know about people, as pictures in Dagster; nobody is named in them."""

import dagster as dg

from archive_assets.outcomes import dagster_outcome, timed
from archive_assets.presentation import picture
from resources.plots.asking import Plot, Wanted, draw
from resources.plots.figures import as_png
from resources.toolbox import Toolbox

# They stay in the event log: few colours keep them small.
_COLOURS = 24


@dg.asset(
    deps=["dim_identity", "fct_appearance", "fct_identity_day", "co_appearance"],
    group_name="analytics",
    kinds={"duckdb", "matplotlib"},
)
def people_plots(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Pictures of people over time, of who is seen with whom, and of the days of a calendar.

    Dagster remembers what it once showed, so people are shown by the beginning of their random
    ids; `face-archive stats plot` draws the same with names.
    """
    with dagster_outcome(), timed(toolbox, "people_plots") as timing:
        shown = {kind.value: picture(_png(toolbox, kind), kind.value) for kind in Plot}
        timing.items = len(shown)
    return dg.MaterializeResult(metadata=shown)


def _png(toolbox: Toolbox, kind: Plot) -> bytes:
    return as_png(draw(kind, toolbox.warehouse, Wanted(names=False)), colours=_COLOURS)
