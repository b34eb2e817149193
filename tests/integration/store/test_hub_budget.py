"""One row that all who write to a hub share: how often they may, and until when not."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from archive.budgets import AskedToWait
from archive.errors import Permanent
from archive.publishing import BudgetPace, Hub, HubNo
from resources.store.budgets import HubBudget
from resources.store.database import Database
from resources.store.topics import TopicStore
from tests.integration.publishing_rows import Rows


@pytest.fixture
def hub(database: Database) -> Hub:
    chat_no = Rows(database).chat(99, "People", is_hub=True)
    return TopicStore(database).use(chat_no)


async def moments(database: Database, hub: Hub, writes: int) -> list[float]:
    """When one run that never sleeps would write, by a clock that all runs share."""
    found: list[float] = []

    async def wait(seconds: float) -> None:
        found.append(monotonic() + seconds)

    budget = HubBudget(database, hub.hub_no, operations_per_minute=1)
    pace = BudgetPace(budget, flood_sleep_limit_seconds=0, sleep=wait)
    for _ in range(writes):
        await pace()
    return found


def test_two_runs_at_once_never_exceed_the_rate_together(database: Database, hub: Hub) -> None:
    async def one_run() -> list[float]:
        return await moments(database, hub, 8)

    HubBudget(database, hub.hub_no, operations_per_minute=1).take(1)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(asyncio.run, one_run()) for _ in range(2)]
        times = sorted(moment for run in runs for moment in run.result())
    assert len(times) == 16
    # A minute each; the clocks of the store and of here are read some moments apart.
    assert all(b - a > 30 for a, b in itertools.pairwise(times))


def test_a_run_that_follows_another_at_once_begins_no_minute_anew(
    database: Database, hub: Hub
) -> None:
    first = HubBudget(database, hub.hub_no, operations_per_minute=18)
    waits = [first.take(1).pace_seconds for _ in range(18)]
    assert waits[0] == 0
    second = HubBudget(database, hub.hub_no, operations_per_minute=18)
    assert second.take(1).pace_seconds == pytest.approx(60, abs=20)


def test_what_nobody_wrote_is_not_saved_up(database: Database, hub: Hub) -> None:
    budget = HubBudget(database, hub.hub_no, operations_per_minute=1)
    assert [budget.take(1).pace_seconds for _ in range(3)] == [
        0,
        pytest.approx(60, abs=30),
        pytest.approx(120, abs=30),
    ]


def test_a_wait_holds_for_every_run_and_is_shown_with_the_hub(database: Database, hub: Hub) -> None:
    store = TopicStore(database)
    assert store.hubs()[0].waits_until is None
    HubBudget(database, hub.hub_no, operations_per_minute=18).flooded("publish", 3600)
    pace = BudgetPace(
        HubBudget(database, hub.hub_no, operations_per_minute=18), flood_sleep_limit_seconds=60
    )
    with pytest.raises(AskedToWait):
        asyncio.run(pace())
    assert store.hubs()[0].waits_until is not None


def test_an_unknown_hub_may_not_be_written_to(database: Database) -> None:
    with pytest.raises(Permanent, match="no such hub"):
        HubBudget(database, HubNo(5), operations_per_minute=18).take(1)
