"""What an error of the archive means to Dagster, and what is kept of a step that went well."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import dagster as dg

from archive.errors import Permanent, Transient
from resources.toolbox import Toolbox

# Covers a flood of hours, a database that restarts, another run that holds the lane.
_RETRIES = 20
_RETRY_SECONDS = 30.0


@contextmanager
def dagster_outcome() -> Iterator[None]:
    """Turn the archive's errors into a retry at the right time, or into a plain failure.

    Raises:
        RetryRequested: For a ``Transient``, after as long as it asks for.
        Failure: For a ``Permanent``, never retried; its text says the way out.
    """
    try:
        yield
    except Transient as exc:
        raise dg.RetryRequested(
            max_retries=_RETRIES, seconds_to_wait=exc.retry_after_seconds or _RETRY_SECONDS
        ) from exc
    except Permanent as exc:
        raise dg.Failure(description=str(exc), allow_retries=False) from exc


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
