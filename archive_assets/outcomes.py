"""What an error of the archive means to Dagster, and what is kept of a step that went well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import dagster as dg

from archive.errors import Permanent, Transient
from resources.toolbox import Toolbox

# Covers a database that restarts, another run that holds the lane.
_RETRIES = 20
_RETRY_SECONDS = 30.0

# The in-process executor sleeps between two tries, and the run stays STARTED meanwhile: it keeps
# its place among the few that may run at a time (observed with Dagster 1.13).
LONGEST_WAIT_SECONDS = 300.0


@contextmanager
def dagster_outcome(postpone: Callable[[float], None] = lambda seconds: None) -> Iterator[None]:
    """Turn the archive's errors into a retry at the right time, or into a plain failure.

    Args:
        postpone: Notes after how many seconds a sensor has to ask for the work again; called
            before a run that would have to wait for long gives its place away.

    Raises:
        RetryRequested: For a ``Transient``, after as long as it asks for.
        Failure: For a ``Transient`` that asks for longer than a run may wait, with the time at
            which it is asked for again. For a ``Permanent``, never retried; its text says the
            way out.
    """
    try:
        yield
    except Transient as exc:
        wait = exc.retry_after_seconds or _RETRY_SECONDS
        if wait <= LONGEST_WAIT_SECONDS:
            raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=wait) from exc
        postpone(wait)
        raise _given_away(exc, wait) from exc
    except Permanent as exc:
        raise dg.Failure(description=str(exc), allow_retries=False) from exc


def _given_away(error: Transient, wait: float) -> dg.Failure:
    """Say when the work goes on; nobody has to do anything."""
    at = datetime.now(UTC) + timedelta(seconds=wait)
    return dg.Failure(
        description=f"{error} Nothing is lost: a sensor asks for this again at {at:%H:%M} UTC.",
        metadata={"retry_at": dg.MetadataValue.timestamp(at)},
        allow_retries=False,
    )


@dataclass(slots=True)
class Timing:
    """What a stage says of itself before its time is kept."""

    items: int = 0


@contextmanager
def timed(toolbox: Toolbox, stage: str, window_key: str | None = None) -> Iterator[Timing]:
    """Keep how long the body took and how many items it did; a body that fails leaves nothing."""
    timing = Timing()
    started = monotonic()
    yield timing
    toolbox.overview.record_stage(stage, window_key, monotonic() - started, timing.items)
