"""Several hubs with the real store, the real Telethon and the loopback Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from archive.budgets import AskedToWait
from archive.hubs import crowded, find_hub
from archive.ids import ChatNo
from archive.publishing import (
    ALL_OTHERS,
    Hub,
    HubBlocked,
    HubNo,
    HubRule,
    HubState,
    Operation,
    PublishResult,
    publish_each,
)
from archive.publishing.planning import plan_operations
from archive.publishing.publish import utc_now
from archive.publishing.seating import RoomLimits
from resources.store.database import Database
from telegram_sandbox import ChatHandle
from tests.integration.publishing_stage import Stage, shown, stage

FAMILY = ChatNo(1)


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


def titles(handle: ChatHandle) -> list[str]:
    return sorted(title.rpartition(" ")[0] for title in shown(handle))


def room_for(house: Stage, hub: Hub, topics: int) -> list[str]:
    drawn = plan_operations(
        house.store.projection(hub.hub_no), now=utc_now(), room_limits=RoomLimits(topics=topics)
    )
    return [line for line in drawn.lines() if line.startswith("topic")]


async def test_a_hub_for_one_chat_takes_its_people_and_the_hub_for_the_rest_none_of_them(
    house: Stage,
) -> None:
    rest = house.hub(house.people, ALL_OTHERS)
    family = house.hub(house.others, HubRule(frozenset({FAMILY})))
    assert (await house.publish(rest)).sent == 0
    assert (await house.publish(family)).sent == 9
    assert titles(house.others) == ["Mia & Ida", "Person 1", "Person 2"]


async def test_people_move_with_their_chat_when_another_hub_is_to_take_it(house: Stage) -> None:
    rest = house.hub(house.people, ALL_OTHERS)
    await house.publish(rest)
    family = house.hub(house.others, HubRule(tags=frozenset({"family"})))
    assert (await house.publish(family)).sent == 0
    house.store.tag(FAMILY, ["family"])
    await house.publish(family)
    await house.publish(rest)
    assert titles(house.people) == []
    assert titles(house.others) == ["Mia & Ida", "Person 1", "Person 2"]


async def test_a_full_hub_keeps_its_people_and_the_next_of_its_rule_takes_the_others(
    house: Stage,
) -> None:
    first, second = house.hub(house.people, ALL_OTHERS), house.hub(house.others, ALL_OTHERS)
    await house.publish(first, max_operations=4)
    assert titles(house.people) == ["Mia & Ida"]
    assert room_for(house, first, topics=1) == []
    assert room_for(house, second, topics=1) == ["topic    Person 1"]
    assert room_for(house, second, topics=9) == []


async def test_a_hub_that_is_retired_gives_its_people_to_the_next(house: Stage) -> None:
    first, second = house.hub(house.people, ALL_OTHERS), house.hub(house.others, ALL_OTHERS)
    await house.publish(first)
    assert (await house.publish(second)).sent == 0
    house.store.retire(first.hub_no)
    assert (await house.publish(second)).sent == 9


async def test_a_hub_that_is_blocked_holds_up_no_other(house: Stage) -> None:
    first = house.hub(house.people, ALL_OTHERS)
    second = house.hub(house.others, HubRule(frozenset({FAMILY})))
    house.people.record.username = "everybody"
    runs = await publish_each([first, second], house.publish)
    assert [run.result is None for run in runs] == [True, False]
    assert "public username" in (runs[0].blocked_reason or "")
    assert titles(house.others) == ["Mia & Ida", "Person 1", "Person 2"]


async def test_a_hub_that_has_to_wait_lets_the_others_go_on_before_the_run_does() -> None:
    order: list[HubNo] = []

    async def publish_to(hub: Hub) -> PublishResult:
        order.append(hub.hub_no)
        raise AskedToWait("slow mode", 60.0 * len(order))

    hubs = [Hub(HubNo(number), None) for number in (1, 2)]  # type: ignore[arg-type]
    with pytest.raises(AskedToWait) as raised:
        await publish_each(hubs, publish_to)
    assert (order, raised.value.seconds) == ([1, 2], 60)


async def test_a_hub_that_turns_public_in_the_middle_of_a_run_receives_nothing_more(
    house: Stage,
) -> None:
    hub = house.hub(house.people, ALL_OTHERS)

    def turn_public(operation: Operation) -> None:
        if str(operation).startswith("pin"):
            house.people.record.username = "everybody"

    with pytest.raises(HubBlocked, match="public username"):
        await house.publish(hub, on_operation=turn_public)
    assert shown(house.people) == {"Mia & Ida 8eee98": []}
    assert house.store.hubs()[0].state is HubState.BLOCKED


async def test_a_right_that_is_lost_in_the_middle_of_a_run_ends_it_with_the_way_out(
    house: Stage,
) -> None:
    hub = house.hub(house.guest, ALL_OTHERS)
    member = house.guest.record.members[house.me.id]
    rights = frozenset({"manage_topics", "delete_messages", "pin_messages"})
    member.admin_rights = rights

    def lose(_: Operation) -> None:
        member.admin_rights = rights - {"manage_topics"}

    with pytest.raises(HubBlocked, match="Manage topics"):
        await house.publish(hub, on_operation=lose)
    assert "Manage topics" in (house.store.hubs()[0].blocked_reason or "")
    member.admin_rights = rights
    await house.publish(hub)
    assert house.store.hubs()[0].state is HubState.READY


async def test_a_hub_that_is_gone_says_what_can_be_done(house: Stage) -> None:
    hub = house.hub(house.guest, ALL_OTHERS)
    del house.guest.record.members[house.me.id]
    with pytest.raises(HubBlocked, match=r"deleted.*hub add.*hub retire"):
        await house.publish(hub)
    assert house.store.hubs()[0].state is HubState.BLOCKED


async def test_slow_mode_ends_the_run_and_is_told_to_whoever_writes_next(house: Stage) -> None:
    hub = house.hub(house.people, ALL_OTHERS)
    told: list[float] = []

    class Pace:
        async def __call__(self) -> None:
            pass

        async def asked_to_wait(self, wait: AskedToWait) -> None:
            told.append(wait.seconds)

    house.sandbox.faults.error("messages.sendMedia", "SLOWMODE_WAIT_60")
    with pytest.raises(AskedToWait):
        await house.publish(hub, pace=Pace())
    assert told == [60]
    assert (await house.publish(hub)).remaining == 0


def test_full_hubs_are_a_matter_for_a_person_only_where_no_other_has_room() -> None:
    full, next_, other = (
        Hub(HubNo(number), None, True, state, rule=rule)  # type: ignore[arg-type]
        for number, state, rule in (
            (1, HubState.FULL, ALL_OTHERS),
            (2, HubState.READY, ALL_OTHERS),
            (3, HubState.FULL, HubRule(frozenset({FAMILY}))),
        )
    )
    assert crowded([full, next_, other]) == [other]
    assert crowded([full]) == [full]


async def test_a_hub_is_found_by_its_title_or_its_marked_id(house: Stage) -> None:
    hub = house.hub(house.guest, ALL_OTHERS)
    assert find_hub("Bob's", house.store).hub_no == hub.hub_no
    assert find_hub(str(hub.chat.chat_id), house.store).hub_no == hub.hub_no
