"""Which of an account's lanes a run belongs to."""

import dagster as dg

from resources.telegram.sessions import Lane
from sensors.runs import LANE_TAG, Urgency

# Dagster's own tag of a run that a backfill submitted.
_BACKFILL_TAG = "dagster/backfill"


def lane_of(context: dg.AssetExecutionContext) -> Lane:
    """Say which of the account's lanes the run belongs to; a run started by hand is live."""
    tags = context.run.tags
    is_backfill = _BACKFILL_TAG in tags or tags.get(LANE_TAG) == Urgency.BACKFILL
    return Lane.BACKFILL if is_backfill else Lane.LIVE
