"""Several hubs of one run share what was read of people, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from archive.ids import ChatNo
from archive.publishing import ALL_OTHERS, HubRule, publish_each
from resources.store.database import Database
from resources.store.topics_of_run import FRESH_SECONDS, RunTopics
from tests.integration.publishing_stage import Stage, shown, stage


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


class Clock:
    """Tells what it is told."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_each_hub_of_a_run_takes_its_part_of_one_reading(house: Stage) -> None:
    handles = (house.people, house.others)
    first, second = (house.hub(handle, ALL_OTHERS) for handle in handles)
    family = house.hub(house.guest, HubRule(frozenset({ChatNo(99)})))
    run = RunTopics(house.rows.database)
    wanted = [run.projection(hub.hub_no).wanted for hub in (first, second, family)]
    assert wanted[0] is wanted[1] is wanted[2]

    await publish_each([first, second], lambda hub: house.publish(hub, store=run))
    # Whoever found room in the first hub a moment ago has no topic in the second.
    assert (len(shown(house.people)), shown(house.others)) == (3, {})
    assert (await house.publish(first)).done == (await house.publish(second)).done == 0


async def test_a_hub_that_somebody_else_wrote_to_meanwhile_is_planned_from_what_holds_now(
    house: Stage,
) -> None:
    hub = house.hub(house.people)
    await house.publish(hub)
    run = RunTopics(house.rows.database)
    before = run.projection(hub.hub_no)
    assert run.projection(hub.hub_no).wanted is before.wanted
    # What was seen in a picture changes; another run shows that already.
    house.rows.run(
        "UPDATE assignments SET identity_id = %s WHERE identity_id = %s", UUID(int=1), UUID(int=2)
    )
    assert (await house.publish(hub)).done
    after = shown(house.people)

    assert (await house.publish(hub, store=run)).done == 0
    assert shown(house.people) == after
    assert run.projection(hub.hub_no).wanted != before.wanted


CHANGES = {
    "a switch": "UPDATE chats SET allow_publish = false WHERE chat_no = 1",
    "protection": "UPDATE chats SET noforwards = true WHERE chat_no = 1",
    "a decision": "UPDATE identities SET state = 'hidden', version = version + 1",
    "an erasure": "DELETE FROM assignments",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_somebody_decided_meanwhile_holds_for_the_next_hub(
    house: Stage, change: str
) -> None:
    hub = house.hub(house.people)
    run = RunTopics(house.rows.database)
    run.projection(hub.hub_no)
    house.rows.run(CHANGES[change])
    assert (await house.publish(hub, store=run)).counts.by_name == {}
    assert shown(house.people) == {}


async def test_what_was_read_is_read_again_when_it_is_old(house: Stage) -> None:
    hub, clock = house.hub(house.people), Clock()
    run = RunTopics(house.rows.database, clock)
    before = run.projection(hub.hub_no).wanted
    clock.seconds = FRESH_SECONDS - 1
    assert run.projection(hub.hub_no).wanted is before
    clock.seconds = FRESH_SECONDS
    assert run.projection(hub.hub_no).wanted is not before
