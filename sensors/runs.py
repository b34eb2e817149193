"""What a run looks like when a sensor asks for it.

The names that sensors and assets share, the priorities, the tags. Which windows are due is
decided by the archive; when to ask is decided in each sensor.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import dagster as dg

CHAT_WINDOW = "chat_window"
WINDOW_ASSETS = (
    "chat_history",
    "media_fingerprints",
    "thumbnails",
    "extracted_faces",
    "face_embeddings",
)
PEOPLE_ASSETS = ("identity_clusters", "published_topics")
WINDOW_JOB = "window"
PEOPLE_JOB = "people"
CALIBRATION_CHECK = "the_threshold_fits_the_labels"
HUB_CHECK = "the_hub_is_what_was_last_written"

LANE_TAG = "face-archive/lane"
# Above a backfill's 0, so that a photo sent just now never waits for years of history.
_PRIORITY = {"live": "10", "backfill": "-10"}


class Urgency(StrEnum):
    """Which lane of the account a run belongs to."""

    LIVE = "live"
    BACKFILL = "backfill"


def window_run(window_key: str, urgency: Urgency, occasion: str) -> dg.RunRequest:
    """Ask for one window.

    Args:
        window_key: The partition.
        urgency: Chooses the lane, the priority and the limit of runs at a time.
        occasion: What makes this request different from the last one for the same window,
            taken from data: Dagster refuses a repeated run key for ever.
    """
    return dg.RunRequest(
        run_key=f"{window_key}:{urgency}:{occasion}",
        partition_key=window_key,
        # A plain text: Dagster cannot store an enum of ours, and the whole tick would fail.
        tags={LANE_TAG: urgency.value, "dagster/priority": _PRIORITY[urgency]},
    )


def add_windows(
    context: dg.SensorEvaluationContext, keys: Iterable[str]
) -> list[dg.AddDynamicPartitionsRequest]:
    """Ask Dagster to know the partitions that it does not know yet, in this order."""
    known = set(context.instance.get_dynamic_partitions(CHAT_WINDOW))
    wanted = [key for key in keys if key not in known]
    return [dg.AddDynamicPartitionsRequest(CHAT_WINDOW, wanted)] if wanted else []
