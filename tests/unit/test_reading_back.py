"""What becomes of a hub that somebody changed by hand: the law, and each kind of change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.identity.records import IdentityState
from archive.ids import ContentKey, MessageId, TopicId
from archive.publishing import Finding, Policy
from tests.fakes.hub import HubMessage, HubTopic
from tests.unit.publishing_house import CONTENTS, House
from tests.unit.publishing_vandal import Vandal, foreign, look
from tests.unit.test_publishing_law import POLICIES, grown


@settings(max_examples=300)
@given(st.integers(0, 2**32), POLICIES, st.integers(1, 3))
def test_whatever_is_done_to_a_hub_by_hand_reading_back_and_publishing_undo_it(
    seed: int, policy: Policy, rounds: int
) -> None:
    house, rng = grown(seed, policy)
    vandal = Vandal(house.hub)
    for _ in range(rounds):
        house.publish()
        for _ in range(rng.randint(1, 5)):
            vandal.strike(rng)
            house.hub.changed = house.require_no_double
        said = foreign(house.hub)
        look(house)
        assert look(house).drifted == 0, vandal.deeds
        planned = house.plan().operations
        assert house.publish().done == len(planned), vandal.deeds
        house.require_converged()
        assert house.plan().lines() == []
        assert foreign(house.hub) == said
        house.befall(rng)


@settings(max_examples=300)
@given(st.integers(0, 2**32), POLICIES)
def test_a_hub_that_was_spoiled_while_the_outcome_of_a_call_was_unknown_comes_right_too(
    seed: int, policy: Policy
) -> None:
    house, rng = grown(seed, policy)
    vandal = Vandal(house.hub)
    for _ in range(4):
        house.dies_publishing(rng.randint(1, 12), has_effect=rng.random() < 0.5)
        vandal.strike(rng)
        look(house, max_requests=rng.choice([None, 1, 3]))
        house.befall(rng)
    # A repeat of a call whose message was deleted meanwhile is answered with that message.
    for _ in range(3):
        house.publish()
        look(house)
    house.publish()
    house.require_converged()
    assert look(house).drifted == 0
    assert house.plan().lines() == []


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_look_in_parts_finds_what_a_whole_one_finds(seed: int, part: int) -> None:
    house, rng = grown(seed, Policy(), 12)
    house.publish()
    vandal = Vandal(house.hub)
    for _ in range(4):
        vandal.strike(rng)
    whole: list[Finding] = []
    look(house, dry_run=True, found=whole)
    parts: list[Finding] = []
    while look(house, max_requests=part, found=parts).stopped_reason == "budget":
        assert house.store.read_back > 0
    assert house.store.read_back == 0

    def ours(found: list[Finding]) -> list[str]:
        return sorted(str(each) for each in found if each.drift.is_ours)

    assert ours(parts) == ours(whole)


@pytest.fixture
def house() -> House:
    """One person whom two pictures show, published."""
    found = House()
    who = found.add_person()
    for number in (4, 5):
        found.add_message(number, 1)
        found.add_face(number, who)
    found.publish()
    return found


def topic(house: House) -> HubTopic:
    (found,) = house.hub.topics_.values()
    return found


def spoil(change: Callable[[HubTopic], object]) -> Callable[[House], object]:
    return lambda house: change(topic(house))


def messages(house: House) -> list[HubMessage]:
    return list(topic(house).messages.values())


def delete(place: int) -> Callable[[House], object]:
    return lambda house: topic(house).messages.pop(list(topic(house).messages)[place])


SPOILED: dict[str, tuple[Callable[[House], object], list[str]]] = {
    "a deleted topic": (lambda house: house.hub.topics_.clear(), ["deleted  topic Person 1"]),
    "a new title": (
        spoil(lambda topic: setattr(topic, "title", "Mia")),
        ["renamed  Person 1 → Mia"],
    ),
    "a closed topic": (spoil(lambda topic: setattr(topic, "closed", True)), ["closed   Person 1"]),
    "a deleted summary": (delete(0), ["deleted  summary of Person 1"]),
    "another summary": (
        lambda house: setattr(messages(house)[0], "text", "Nobody"),
        ["edited   summary of Person 1"],
    ),
    "an unpinned summary": (
        lambda house: setattr(messages(house)[0], "pinned", False),
        ["unpinned summary of Person 1"],
    ),
    "a deleted post": (delete(1), ["deleted  post of Person 1: message 4"]),
    "another picture": (
        lambda house: setattr(messages(house)[1], "content_key", ContentKey("sha256:else")),
        ["replaced post of Person 1: message 4"],
    ),
    "another caption": (
        lambda house: setattr(messages(house)[2], "text", "mine!"),
        ["edited   post of Person 1: message 5"],
    ),
}


@pytest.mark.parametrize("change", SPOILED)
def test_each_change_is_found_once_said_and_undone(house: House, change: str) -> None:
    spoil_, expected = SPOILED[change]
    spoil_(house)
    found: list[Finding] = []
    look(house, dry_run=True)
    assert look(house, found=found).drifted == 1
    assert [str(each) for each in found] == expected
    assert house.store.drifts == 1
    assert house.plan().lines() != []
    house.publish()
    house.require_converged()
    assert look(house).drifted == 0


def test_a_dry_look_records_nothing(house: House) -> None:
    for spoil_, _ in SPOILED.values():
        spoil_(house) if house.hub.topics_ else None
    assert look(house, dry_run=True).drifted > 0
    assert house.plan().lines() == []


def test_a_post_that_was_moved_goes_from_there_and_is_posted_where_it_belongs(
    house: House,
) -> None:
    other = house.add_person()
    house.add_message(6, 1)
    house.add_face(6, other)
    house.publish()
    mine, theirs = house.hub.topics_.values()
    moved = next(key for key, each in mine.messages.items() if each.content_key is not None)
    theirs.messages[moved] = mine.messages.pop(moved)
    assert look(house).counts["posts_moved"] == 1
    house.publish()
    house.require_converged()


def test_what_a_page_leaves_out_is_asked_for_before_it_counts_as_deleted(house: House) -> None:
    house.hub.unlisted = set(topic(house).messages)
    result = look(house)
    assert (result.drifted, result.requests) == (0, 2)


def test_a_merged_persons_topic_gets_its_title_back_and_is_closed_again(house: House) -> None:
    mine = topic(house)
    other = house.add_person()
    house.add_message(6, 1)
    house.add_face(6, other)
    house.publish()
    (one,) = [key for key, each in house.people.items() if each.number == 1]
    house.people[one].state, house.people[one].into = IdentityState.MERGED, other
    house.faces = {face: (shown, other) for face, (shown, _) in house.faces.items()}
    house.publish()
    mine.title, mine.closed = "by hand", False
    assert look(house).drifted == 2
    house.publish()
    assert (mine.title, mine.closed) == ("Person 1", True)
    assert look(house).drifted == 0


def test_what_others_write_is_counted_and_left_alone(house: House) -> None:
    (topic_id,) = house.hub.topics_
    house.hub.add_foreign(topic_id, "hello", None)
    result = look(house)
    assert (result.counts["foreign_messages"], result.drifted, house.store.drifts) == (1, 0, 0)
    house.publish()
    assert foreign(house.hub) == 1


def test_a_post_of_ours_that_no_row_knows_is_told_by_its_link(house: House) -> None:
    link = '<a href="https://t.me/c/1001/4">Chat 1 · 2026-01-02</a>'
    lost = HubMessage(link, ContentKey("sha256:4"))
    topic(house).messages[MessageId(99)] = lost
    found: list[Finding] = []
    assert look(house, found=found).drifted == 0
    assert [str(each) for each in found] == ["unknown  post in Person 1: message 99"]
    house.publish()
    assert lost in messages(house)


def test_a_topic_that_no_row_knows_is_told_and_left_alone(house: House) -> None:
    house.hub.topics_[TopicId(88)] = HubTopic("Chatter", None)
    found: list[Finding] = []
    look(house, found=found)
    assert [str(each) for each in found] == ["unknown  topic Chatter"]


def test_a_hub_without_topics_of_ours_is_not_walked() -> None:
    result = look(House())
    assert (result.requests, result.stopped_reason) == (0, "done")


def test_a_budget_holds_even_where_everything_was_deleted(house: House) -> None:
    who = house.add_person()
    for number in range(CONTENTS):
        for _ in range(120 // CONTENTS):
            other = house.add_person()
            house.add_message(number, 2)
            house.add_face(number, other)
        house.add_face(number, who)
    house.publish()
    for each in house.hub.topics_.values():
        each.messages.clear()
    lost = len(house.store.posts) + len(house.store.summaries)
    assert lost > 200
    first = look(house, max_requests=1)
    assert (first.requests, first.drifted) == (2, 100)
    assert house.store.read_back > 0
    rounds = 1
    while look(house, max_requests=1).stopped_reason == "budget":
        rounds += 1
    assert rounds == lost // 100
    assert look(house).drifted == 0
