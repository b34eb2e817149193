"""Who belongs into which of several hubs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from archive.ids import ChatNo, IdentityId
from archive.publishing import ALL_OTHERS, HubNo, HubRule, Policy
from archive.publishing.planning import plan_operations
from archive.publishing.seating import MESSAGES_A_TOPIC, RoomLimits, seat
from archive.publishing.state import Projection, Room, Standing
from archive.publishing.wanted import WantedTopic
from tests.unit.publishing_world import NOW, chat, content, person, source, world

ONE, TWO, THREE = HubNo(1), HubNo(2), HubNo(3)


def rule(*chat_nos: int, tags: Iterable[str] = ()) -> HubRule:
    return HubRule(frozenset(map(ChatNo, chat_nos)), frozenset(tags))


def seen(hub_no: HubNo, rooms: Iterable[Room], people: Iterable[WantedTopic]) -> Projection:
    return replace(world(*people), hub_no=hub_no, rooms=tuple(rooms))


def numbers(projection: Projection, limits: RoomLimits | None = None) -> list[int]:
    seating = seat(projection, Policy(), limits or RoomLimits())
    return sorted(topic.identity.number for topic in seating.people)


def somebody(number: int, *chat_nos: int) -> WantedTopic:
    """A person with one picture in each of some chats."""
    pictures = [
        content(10 * number + each, source(10 * number + each, chat(each))) for each in chat_nos
    ]
    return person(number, *pictures)


def ids(*people: WantedTopic) -> frozenset[IdentityId]:
    return frozenset(each.identity.identity_id for each in people)


def test_a_chat_goes_to_the_hub_that_names_it_and_every_other_to_the_one_for_the_rest() -> None:
    rooms = [Room(ONE, ALL_OTHERS), Room(TWO, rule(2))]
    people = [somebody(1, 1), somebody(2, 2), somebody(3, 3)]
    assert numbers(seen(ONE, rooms, people)) == [1, 3]
    assert numbers(seen(TWO, rooms, people)) == [2]


def test_a_person_of_two_hubs_has_a_topic_in_each_with_what_belongs_there() -> None:
    rooms = [Room(ONE, rule(1)), Room(TWO, rule(2))]
    both = somebody(1, 1, 2)
    for hub_no, chat_no in ((ONE, 1), (TWO, 2)):
        (topic,) = seat(seen(hub_no, rooms, [both]), Policy()).people
        chats = {each.chat.chat_no for shown in topic.contents for each in shown.sources}
        assert chats == {chat_no}


def test_a_picture_seen_in_chats_of_two_hubs_names_in_each_only_its_own() -> None:
    shared = content(1, source(1, chat(1)), source(2, chat(2)))
    rooms = [Room(ONE, rule(1)), Room(TWO, rule(2))]
    (topic,) = seat(seen(TWO, rooms, [person(1, shared)]), Policy()).people
    assert [each.chat.chat_no for each in topic.contents[0].sources] == [2]


def test_a_chat_by_its_number_comes_before_one_by_its_tag() -> None:
    rooms = [Room(ONE, rule(tags=["work"])), Room(TWO, rule(2))]
    standings = {ChatNo(number): Standing(ChatNo(number), frozenset({"work"})) for number in (1, 2)}
    people = [somebody(1, 1), somebody(2, 2)]
    tagged = replace(seen(ONE, rooms, people), standings=standings)
    assert numbers(tagged) == [1]
    assert numbers(replace(tagged, hub_no=TWO)) == [2]


def test_what_a_group_became_goes_where_the_group_went() -> None:
    rooms = [Room(ONE, ALL_OTHERS), Room(TWO, rule(2))]
    became = {ChatNo(1): Standing(ChatNo(2))}
    projection = replace(seen(TWO, rooms, [somebody(1, 1)]), standings=became)
    assert numbers(projection) == [1]


def test_nobody_hears_of_a_chat_that_no_rule_speaks_of() -> None:
    assert numbers(seen(ONE, [Room(ONE, rule(1))], [somebody(1, 2)])) == []


def test_at_the_limit_of_topics_whoever_is_new_goes_to_the_next_hub_of_the_rule() -> None:
    people = [somebody(number, 1) for number in range(1, 6)]
    rooms = [Room(ONE, residents=ids(people[3], people[4])), Room(TWO)]
    limits = RoomLimits(topics=3)
    assert numbers(seen(ONE, rooms, people), limits) == [3, 4, 5]
    assert numbers(seen(TWO, rooms, people), limits) == [1, 2]


def test_messages_still_to_come_count_before_they_are_sent() -> None:
    big, small = person(1, *(content(n) for n in range(1, 11))), somebody(2, 1)
    rooms = [Room(ONE, residents=ids(big)), Room(TWO)]
    limits = RoomLimits(messages=10 + 2 * MESSAGES_A_TOPIC)
    assert numbers(seen(ONE, rooms, [big, small]), limits) == [1]
    assert numbers(seen(TWO, rooms, [big, small]), limits) == [2]


def test_somebody_who_is_larger_than_a_hub_gets_an_empty_one() -> None:
    big = person(1, *(content(n) for n in range(1, 11)))
    assert numbers(seen(ONE, [Room(ONE)], [big]), RoomLimits(messages=5)) == [1]


def test_whoever_is_in_a_hub_that_is_blocked_stays_and_nobody_new_goes_there() -> None:
    old, new = somebody(1, 1), somebody(2, 1)
    rooms = [Room(ONE, is_open=False, residents=ids(old)), Room(TWO)]
    assert numbers(seen(ONE, rooms, [old, new])) == [1]
    assert numbers(seen(TWO, rooms, [old, new])) == [2]


def test_a_full_hub_without_a_next_one_says_so_and_is_kept_up_to_date() -> None:
    old, new = somebody(1, 1), somebody(2, 1)
    projection = seen(ONE, [Room(ONE, residents=ids(old))], [old, new])
    drawn = plan_operations(projection, now=NOW, room_limits=RoomLimits(topics=1))
    assert drawn.is_full
    assert drawn.counts["without_room"] == 1
    assert drawn.lines()
    assert not [line for line in drawn.lines() if "Person 2" in line]


def test_a_hub_that_is_not_in_use_takes_everybody() -> None:
    assert numbers(seen(ONE, [], [somebody(1, 1), somebody(2, 2)])) == [1, 2]


PEOPLE = st.lists(st.sets(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=12).map(
    lambda chats: [somebody(number, *each) for number, each in enumerate(chats, 1)]
)


@given(PEOPLE, st.sets(st.integers(1, 12)), st.sets(st.integers(1, 12)), st.integers(1, 5))
def test_everybody_is_whole_in_exactly_one_hub_of_each_rule_or_waits(
    people: list[WantedTopic], in_one: set[int], in_two: set[int], topics: int
) -> None:
    live = ids(*people)
    rooms = [
        Room(ONE, residents=live & ids(*(somebody(n, 1) for n in in_one))),
        Room(TWO, residents=live & ids(*(somebody(n, 1) for n in in_two))),
        Room(THREE, rule(4)),
    ]
    limits = RoomLimits(topics=topics)
    found = {hub: seat(seen(hub, rooms, people), Policy(), limits) for hub in (ONE, TWO, THREE)}
    for topic in people:
        key = topic.identity.identity_id
        homes = [
            hub for hub, seating in found.items() if key in ids(*seating.people) and hub != THREE
        ]
        others = {s.chat.chat_no for c in topic.contents for s in c.sources} - {ChatNo(4)}
        assert len(homes) <= bool(others)
        if others and key in rooms[0].residents | rooms[1].residents:
            assert homes == [ONE if key in rooms[0].residents else TWO]
    waiting = (
        sum(
            bool({s.chat.chat_no for c in topic.contents for s in c.sources} - {ChatNo(4)})
            for topic in people
        )
        - len(found[ONE].people)
        - len(found[TWO].people)
    )
    assert found[ONE].without_room == found[TWO].without_room == waiting
