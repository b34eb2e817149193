"""From what is said in a hub to decisions about people; drains what the listener heard there."""

import dagster as dg

from archive.errors import Transient
from archive.heeding import heed
from resources.toolbox import Toolbox


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "On by default. Every 30 s, names given to topics and commands said in them by an admin of "
        "the hub become decisions about people; what cannot be done is answered in the topic by "
        "the next publishing. Off: what is said waits."
    ),
)
def remarks_sensor(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SkipReason:
    """Settle what was said; what follows from it is the next run's, which another sensor asks."""
    try:
        heeded = heed(toolbox.remarks, toolbox.register)
    except Transient as busy:
        return dg.SkipReason(f"What was said in a hub waits: {busy}.")
    counted = ", ".join(f"{count} {fate}" for fate, count in heeded.by_name.items())
    return dg.SkipReason(f"Heeded: {counted}." if counted else "Nothing was said in a hub.")
