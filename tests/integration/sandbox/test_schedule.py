"""Schedules of faults: drawn, repeated, printed, survived."""

from typing import Any

import pytest
from telethon.tl.functions.messages import GetHistoryRequest

from telegram_sandbox import Drop, Fault, FaultSchedule, Mishap, Sandbox, UpdateFault, Upset
from telegram_sandbox.schedule import KINDS, QUICK

from .story import MP4, Connect, Story


def test_a_seed_draws_the_same_faults_again() -> None:
    assert FaultSchedule.random(7) == FaultSchedule.random(7) != FaultSchedule.random(8)


def test_a_schedule_has_as_many_faults_as_were_asked_for_within_bounds() -> None:
    schedule = FaultSchedule.random(3, count=50, calls=5, longest=3)

    assert len(schedule) == 50
    assert all(1 <= rule.first <= 5 and 1 <= (rule.times or 0) <= 3 for rule in schedule)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_drawn_and_printed(kind: str) -> None:
    schedule = FaultSchedule.random(1, count=1, kinds=[kind])

    assert len(str(schedule).splitlines()) == 2
    names = {"Fault": Fault, "UpdateFault": UpdateFault, "FaultSchedule": FaultSchedule}
    pasted = repr(schedule)
    for enum in (Drop, Upset, Mishap):
        for member in enum:
            pasted = pasted.replace(repr(member), str(member))
        names[enum.__name__] = enum
    assert eval(pasted, names) == schedule


def test_hand_written_rules_join_drawn_ones() -> None:
    flood = Fault("messages.getHistory", error="FLOOD_WAIT_30")

    schedule = FaultSchedule.random(1, count=2).and_also(flood)

    assert list(schedule)[-1] == flood
    assert (len(schedule), schedule.seed) == (3, 1)


async def pages(client: Any, count: int) -> list[int]:
    """Reads to the end without trusting the length of a page."""
    peer = await client.get_input_entity("family_demo")
    found: list[int] = []
    while not found or found[-1] > 1:
        offset = found[-1] if found else 0
        page = await client(GetHistoryRequest(peer, offset, None, 0, count, 0, 0, 0))
        found.extend(message.id for message in page.messages)
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_a_patient_reader_gets_everything_under_any_schedule(
    connect: Connect, story: Story, sandbox: Sandbox, seed: int
) -> None:
    client = await connect(story.mia, request_retries=10, connection_retries=10, retry_delay=0)
    for number in range(150):
        story.family.text(story.tom, str(number))
    story.family.video(story.tom, MP4)
    kinds = QUICK - {"truncated_chunk", "takeout_ended"}
    sandbox.faults.follow(FaultSchedule.random(seed, count=10, calls=12, kinds=kinds))

    ids = await pages(client, 30)
    last = await client.get_messages("family_demo", ids=ids[0])

    assert ids == [message.id for message in reversed(story.family.messages)]
    assert await client.download_media(last, bytes) == MP4
