"""What a window's run does about media that are not done yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from archive.errors import Transient
from archive.ledger import TRANSIENT, Product, State
from archive.media_pass.records import ProductCount
from archive.media_pass.result import MediaPassResult
from archive_assets.media import _require_complete
from archive_assets.outcomes import dagster_outcome


def failed(due_in: timedelta) -> MediaPassResult:
    due_at = datetime.now(UTC) + due_in
    count = ProductCount(Product.FACES, State.FAILED, TRANSIENT, 1, due_at)
    return MediaPassResult(counts=(count,), products=frozenset({Product.FACES}))


def test_a_run_waits_for_what_is_due_soon() -> None:
    with pytest.raises(Transient) as waiting:
        _require_complete(failed(timedelta(seconds=60)))
    assert waiting.value.retry_after_seconds == pytest.approx(60, abs=5)


def test_a_run_gives_its_place_away_where_media_are_due_much_later() -> None:
    postponed: list[float] = []
    with (
        pytest.raises(dg.Failure, match="a sensor asks for this again") as ended,
        dagster_outcome(postponed.append),
    ):
        _require_complete(failed(timedelta(hours=2)))
    assert postponed == [pytest.approx(7200, abs=5)]
    assert ended.value.allow_retries is False
