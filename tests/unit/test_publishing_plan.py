"""What a plan says and in which order; that it leads where it should is the law's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.identity.records import IdentityState
from archive.ids import MessageId, TopicId
from archive.publishing import OpenTopic, Policy, PostContent
from archive.publishing.outbox import Actual, OutboxState, PublicationRow, TopicRow
from archive.publishing.planning import Plan, plan_operations
from archive.publishing.state import Projection
from archive.publishing.visible_text import utf16_units
from archive.publishing.wanted import ICON_COLORS, WantedTopic
from tests.unit.publishing_house import House
from tests.unit.publishing_world import NOW, content, person, source, world

SENT = OutboxState.SENT


def planned(projection: Projection, **more: bool | int) -> Plan:
    return plan_operations(projection, now=NOW, policy=Policy(**more))  # type: ignore[arg-type]


def posts(plan: Plan) -> list[PostContent]:
    return [operation for operation in plan.operations if isinstance(operation, PostContent)]


def topic_of(shown: WantedTopic, state: OutboxState = SENT, topic_id: int = 9) -> TopicRow:
    there = None if state is OutboxState.SENDING else TopicId(topic_id)
    return TopicRow(shown.identity.identity_id, topic_id, state, shown.title, None, there)


def post_of(
    shown: WantedTopic, place: int = 0, state: OutboxState = SENT, number: int = 1
) -> PublicationRow:
    there = None if state in {OutboxState.SENDING, OutboxState.PLANNED} else MessageId(number)
    return PublicationRow(
        UUID(int=number),
        shown.identity.identity_id,
        shown.contents[place].content_key,
        number,
        state,
        "an old caption",
        message_id=there,
    )


def actual(*rows: TopicRow | PublicationRow) -> Actual:
    topics = {row.identity_id: row for row in rows if isinstance(row, TopicRow)}
    return Actual(topics, tuple(row for row in rows if isinstance(row, PublicationRow)))


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_rows(seed: int, random: Random) -> None:
    house = House()
    for _ in range(12):
        house.befall(random)
    projection = house.store.projection(house.store.hub_.hub_no)
    shuffled = random.sample(projection.wanted, len(projection.wanted))
    assert planned(projection) == planned(replace(projection, wanted=tuple(shuffled)))


@given(st.text(max_size=400))
def test_a_title_is_never_empty_and_fits_into_telegrams_limit(label: str) -> None:
    opening = planned(world(person(7, content(1), label=label))).operations[0]
    assert isinstance(opening, OpenTopic)
    assert 1 <= utf16_units(opening.title) <= 128
    assert len(opening.title.splitlines()) == 1
    assert opening.icon_color in ICON_COLORS


def test_an_unnamed_person_is_called_by_number() -> None:
    assert planned(world(person(7, content(1)))).lines() == [
        "topic    Person 7",
        "summary  Person 7",
        "pin      Person 7: summary",
        "post     Person 7 ← Family · 2026-01-02",
    ]


def test_a_near_copy_is_listed_as_a_source_and_not_posted_unless_wanted() -> None:
    near = world(person(1, content(1, phash=0b0), content(2, phash=0b111), content(3, phash=-1)))
    plan = planned(near)
    assert [[s.message_id for s in post.listed] for post in posts(plan)] == [[1, 2], [3]]
    assert [[s.message_id for s in post.sources] for post in posts(plan)] == [[1], [3]]
    assert plan.counts["near_copies"] == 1
    assert plan.counts["posts"] == 2
    assert planned(near, post_near_copies=True).counts["posts"] == 3


def test_a_still_of_a_video_does_not_replace_the_video() -> None:
    shown = content(1, phash=5, seconds=2.0), content(2, phash=5)
    assert planned(world(person(1, *shown))).counts["posts"] == 2


def test_whoever_too_few_contents_show_has_no_topic() -> None:
    few, more = person(1, content(1)), person(2, content(2), content(3))
    titles = [each.title for each in posts(planned(world(few, more), min_faces_to_publish=2))]
    assert titles == ["Person 2", "Person 2"]


def test_named_people_come_first_then_those_with_more_pictures_then_the_newest() -> None:
    people = [
        person(1, content(1)),
        person(2, content(2)),
        person(3, content(1), content(3, phash=-1)),
        person(4, content(1), label="Mia"),
    ]
    operations = planned(world(*people)).operations
    titles = [operation.title for operation in operations if isinstance(operation, OpenTopic)]
    assert titles == ["Mia", "Person 3", "Person 2", "Person 1"]


def test_a_topic_fills_from_the_oldest_content_on() -> None:
    plan = planned(world(person(1, *[content(number) for number in (3, 1, 2)])))
    assert [post.sources[0].message_id for post in posts(plan)] == [1, 2, 3]


def test_what_may_be_in_the_hub_already_comes_first_and_keeps_its_row() -> None:
    named, other = person(1, content(1), label="Mia"), person(2, content(2))
    pending = post_of(other, state=OutboxState.SENDING)
    plan = planned(world(named, other, actual=actual(topic_of(other), pending)))
    assert getattr(plan.operations[0], "pending", None) is pending
    assert plan.counts["posts"] == 2


def test_a_topic_whose_outcome_is_unknown_is_asked_for_with_its_old_title_and_then_renamed() -> (
    None
):
    shown = person(1, content(1), label="Mia")
    row = replace(topic_of(shown, OutboxState.SENDING), title="Person 1")
    lines = planned(world(shown, actual=actual(row))).lines()
    assert lines[:2] == ["topic    Person 1", "rename   Person 1 → Mia"]


def test_a_refused_content_is_left_alone_until_its_time() -> None:
    shown = person(1, content(1))
    refused = replace(
        post_of(shown, state=OutboxState.PLANNED),
        refusal="MEDIA_INVALID",
        retry_at=NOW + timedelta(hours=1),
    )
    projection = world(shown, actual=actual(refused))
    assert planned(projection).counts["refused"] == 1
    assert posts(planned(projection)) == []
    later = plan_operations(projection, now=NOW + timedelta(hours=2))
    assert [post.refused for post in posts(later)] == [refused]


def test_what_moves_is_in_the_new_topic_before_it_leaves_the_old_one() -> None:
    old, new = person(1, content(1)), person(2, content(1), label="Mia")
    rows = topic_of(old), post_of(old)
    goal = {old.identity.identity_id: new.identity.identity_id}
    merged = replace(world(new, actual=actual(*rows)), merged=goal)
    assert planned(merged).lines() == [
        "topic    Mia",
        "summary  Mia",
        "pin      Mia: summary",
        "post     Mia ← Family · 2026-01-02",
        "delete   1 post: Person 1",
        "link     Person 1 → Mia",
        "close    Person 1",
    ]


def test_what_cannot_be_posted_in_the_new_topic_at_present_stays_in_the_old_one() -> None:
    old, new = person(1, content(1)), person(2, content(1), content(2))
    refused = replace(
        post_of(new, state=OutboxState.PLANNED, number=2),
        refusal="MEDIA_INVALID",
        retry_at=NOW + timedelta(hours=1),
    )
    remaining = person(1, content(3))
    rows = topic_of(old), post_of(old), refused
    plan = planned(world(remaining, new, actual=actual(*rows)))
    assert plan.counts["waiting"] == 1
    assert not [line for line in plan.lines() if line.startswith("delete")]


def test_whoever_is_erased_goes_before_anything_is_made_even_where_others_need_the_picture() -> (
    None
):
    gone, other = person(1, content(1)), person(2, content(1))
    there = world(other, actual=actual(topic_of(gone), post_of(gone)))
    withdrawn = planned(there).lines()
    erased = planned(replace(there, erased=frozenset({gone.identity.identity_id}))).lines()
    assert erased[0] == "delete   Person 1"
    assert withdrawn[-1] == "delete   Person 1"


def test_a_hidden_persons_topic_is_closed_and_receives_nothing() -> None:
    hidden = person(1, content(1), content(2), state=IdentityState.HIDDEN)
    assert planned(world(hidden)).lines() == []
    assert planned(world(hidden, actual=actual(topic_of(hidden)))).lines() == ["close    Person 1"]


def test_a_caption_that_names_what_may_not_be_named_is_changed_before_anything_is_made() -> None:
    shown, other = person(1, content(1)), person(2, content(2), label="Mia")
    plan = planned(world(shown, other, actual=actual(topic_of(shown), post_of(shown))))
    assert plan.lines()[0] == "edit     Person 1 ← Family · 2026-01-02"


@pytest.mark.parametrize(("posts_", "requests"), [(100, 1), (101, 2), (250, 3)])
def test_posts_are_deleted_a_hundred_at_a_time(posts_: int, requests: int) -> None:
    shown = person(1, *(content(number) for number in range(posts_ + 1)))
    rows = [post_of(shown, place, number=place + 1) for place in range(posts_)]
    left = person(1, shown.contents[-1])
    plan = planned(world(left, actual=actual(topic_of(shown), *rows)))
    assert len([line for line in plan.lines() if line.startswith("delete")]) == requests
    assert plan.counts["removed"] == posts_


def test_the_plan_says_how_many_minutes_it_takes() -> None:
    shown = [content(number) for number in range(1, 16)]
    assert planned(world(person(1, *shown))).minutes(18) == 1.0


def test_a_dry_run_says_how_many_sources_a_post_has() -> None:
    plan = planned(world(person(1, content(1, source(1), source(2)))))
    assert plan.lines()[-1] == "post     Person 1 ← Family · 2026-01-02 and 1 more"
