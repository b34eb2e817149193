"""How far chats have come, asked for in bulk."""

from __future__ import annotations

from tests.integration.telegram.conftest import House


async def test_the_newest_message_of_every_kind_of_chat_comes_in_one_request(house: House) -> None:
    friend = house.scenario.user("Bob")
    handles = [
        house.scenario.supergroup("Family", owner=house.me, members=[friend]),
        house.scenario.channel("News", owner=house.me),
        house.scenario.private_chat(house.me, friend),
    ]
    newest = [handle.text(house.me, "newest").id for handle in handles]
    account = await house.open()
    chats = [await house.chat(account, handle, n) for n, handle in enumerate(handles, 1)]

    tops = await account.tops.tops(chats)

    assert {top.chat.chat_no: top.message_id for top in tops} == dict(enumerate(newest, 1))
    pts = {top.chat.chat_no: top.pts for top in tops}
    assert pts == {1: handles[0].record.pts, 2: handles[1].record.pts, 3: None}
    assert house.asked("messages.getPeerDialogs") == 1


async def test_a_chat_that_is_refused_does_not_hide_the_others(house: House) -> None:
    friend = house.scenario.user("Bob")
    handles = [
        house.scenario.supergroup(f"Group {number}", owner=friend, members=[house.me])
        for number in range(5)
    ]
    for handle in handles:
        handle.text(friend, "newest")
    account = await house.open()
    chats = [await house.chat(account, handle, n) for n, handle in enumerate(handles)]
    house.sandbox.remove_member(handles[3], house.me)

    tops = await account.tops.tops(chats)

    assert [top.chat.chat_no for top in tops] == [0, 1, 2, 4]


async def test_no_chats_cost_no_request(house: House) -> None:
    account = await house.open()
    assert await account.tops.tops([]) == []
    assert house.asked("messages.getPeerDialogs") == 0
