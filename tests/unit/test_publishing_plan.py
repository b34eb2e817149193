from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from archive.identity.rules import NEAR_COPY_BITS, phash_distance
from archive.publishing.planning import OpenTopic, PostContent, plan_operations
from archive.publishing.state import (
    ICON_COLORS,
    OutboxState,
    Projection,
    PublicationRow,
    TopicRow,
    utf16_units,
)
from tests.unit.publishing_world import NOW, after, content, person, source, world

# Few hashes, close to one another, so that many contents are near copies.
HASHES = st.one_of(st.none(), st.integers(0, 15).map(lambda bits: 0x1111 * bits - 8))


@st.composite
def projections(draw: st.DrawFn) -> Projection:
    contents = [
        content(n, phash=draw(HASHES), seconds=draw(st.none() | st.floats(0, 60)))
        for n in range(1, 13)
    ]
    people = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        shown = draw(st.lists(st.sampled_from(contents), min_size=1, max_size=8, unique=True))
        people.append(person(number, *shown, label=draw(st.none() | st.text(max_size=200))))
    return world(*draw(st.permutations(people)))


@given(projections())
def test_planning_after_executing_gives_nothing(projection: Projection) -> None:
    first = plan_operations(projection, now=NOW)
    assert plan_operations(after(projection, first.operations), now=NOW).operations == ()


@given(projections(), st.integers(0, 20))
def test_stopping_anywhere_and_going_on_does_what_one_run_does(
    projection: Projection, stop: int
) -> None:
    whole = plan_operations(projection, now=NOW).operations
    rest = plan_operations(after(projection, whole[:stop]), now=NOW).operations
    assert [str(operation) for operation in (*whole[:stop], *rest)] == [
        str(operation) for operation in whole
    ]


@given(projections(), st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_rows(
    projection: Projection, random: Random
) -> None:
    shuffled = random.sample(projection.wanted, len(projection.wanted))
    other = plan_operations(replace(projection, wanted=tuple(shuffled)), now=NOW)
    assert plan_operations(projection, now=NOW) == other


@given(projections())
def test_no_two_posts_of_a_person_are_near_copies_and_every_content_is_posted_or_listed(
    projection: Projection,
) -> None:
    operations = plan_operations(projection, now=NOW).operations
    for topic in projection.wanted:
        posts = [
            operation
            for operation in operations
            if isinstance(operation, PostContent)
            and operation.identity_id == topic.identity.identity_id
        ]
        by_key = {shown.content_key: shown for shown in topic.contents}
        posted = [by_key[post.content_key] for post in posts]
        for index, one in enumerate(posted):
            for other in posted[:index]:
                if one.phash is None or other.phash is None or one.is_video != other.is_video:
                    continue
                assert phash_distance(one.phash, other.phash) > NEAR_COPY_BITS
        listed = {(s.chat.chat_no, s.message_id) for post in posts for s in post.listed}
        assert listed == {(1, s.message_id) for c in topic.contents for s in c.sources}


@given(st.text(max_size=400))
def test_a_title_is_never_empty_and_fits_into_telegrams_limit(label: str) -> None:
    (opening, _) = plan_operations(world(person(7, content(1), label=label)), now=NOW).operations
    assert isinstance(opening, OpenTopic)
    assert 1 <= utf16_units(opening.title) <= 128
    assert len(opening.title.splitlines()) == 1
    assert opening.icon_color in ICON_COLORS


def test_an_unnamed_person_is_called_by_number() -> None:
    operations = plan_operations(world(person(7, content(1))), now=NOW).operations
    assert [str(operation) for operation in operations] == [
        "topic  Person 7",
        "post   Person 7 ← Family · 2026-01-02",
    ]


def test_a_near_copy_is_listed_as_a_source_and_not_posted() -> None:
    plan = plan_operations(
        world(person(1, content(1, phash=0b0), content(2, phash=0b111), content(3, phash=-1))),
        now=NOW,
    )
    posts = [operation for operation in plan.operations if isinstance(operation, PostContent)]
    assert [[s.message_id for s in post.listed] for post in posts] == [[1, 2], [3]]
    assert [[s.message_id for s in post.sources] for post in posts] == [[1], [3]]
    assert plan.counts["near_copies"] == 1
    assert plan.counts["posts"] == 2


def test_a_still_of_a_video_does_not_replace_the_video() -> None:
    shown = content(1, phash=5, seconds=2.0), content(2, phash=5)
    assert plan_operations(world(person(1, *shown)), now=NOW).counts["posts"] == 2


def test_named_people_come_first_then_those_with_more_pictures_then_the_newest() -> None:
    people = [
        person(1, content(1)),
        person(2, content(2)),
        person(3, content(1), content(3, phash=-1)),
        person(4, content(1), label="Mia"),
    ]
    operations = plan_operations(world(*people), now=NOW).operations
    titles = [operation.title for operation in operations if isinstance(operation, OpenTopic)]
    assert titles == ["Mia", "Person 3", "Person 2", "Person 1"]


def test_a_topic_fills_from_the_oldest_content_on() -> None:
    shown = [content(number) for number in (3, 1, 2)]
    operations = plan_operations(world(person(1, *shown)), now=NOW).operations
    posts = [operation for operation in operations if isinstance(operation, PostContent)]
    assert [post.sources[0].message_id for post in posts] == [1, 2, 3]


def test_what_may_be_in_the_hub_already_comes_first_and_keeps_its_row() -> None:
    named, other = person(1, content(1), label="Mia"), person(2, content(2))
    other_id = other.identity.identity_id
    topic = TopicRow(other_id, 5, OutboxState.SENT, "Person 2", None, 9)
    pending = PublicationRow(
        UUID(int=1), other_id, other.contents[0].content_key, 6, OutboxState.SENDING
    )
    plan = plan_operations(Projection((named, other), {other_id: topic}, (pending,)), now=NOW)
    assert plan.operations[0].pending is pending
    assert plan.counts["in_flight"] == 1
    assert plan.counts["posts"] == 2


def test_a_topic_whose_outcome_is_unknown_is_asked_for_with_its_old_title() -> None:
    renamed = person(1, content(1), label="Mia")
    identity_id = renamed.identity.identity_id
    row = TopicRow(identity_id, 5, OutboxState.SENDING, "Person 1", ICON_COLORS[3])
    opening = plan_operations(Projection((renamed,), {identity_id: row}, ()), now=NOW).operations[0]
    assert isinstance(opening, OpenTopic)
    assert (opening.title, opening.icon_color, opening.pending) == ("Person 1", ICON_COLORS[3], row)


def test_a_refused_content_is_left_alone_until_its_time() -> None:
    shown = person(1, content(1))
    refused = PublicationRow(
        UUID(int=1),
        shown.identity.identity_id,
        shown.contents[0].content_key,
        6,
        OutboxState.PLANNED,
        refusal="MEDIA_INVALID",
        retry_at=NOW + timedelta(hours=1),
    )
    projection = Projection((shown,), {}, (refused,))
    assert plan_operations(projection, now=NOW).counts["refused"] == 1
    assert plan_operations(projection, now=NOW).counts["posts"] == 0
    assert plan_operations(projection, now=NOW + timedelta(hours=2)).counts["posts"] == 1


def test_a_post_that_nothing_wants_any_more_is_counted() -> None:
    shown = person(1, content(1), content(2, phash=-1))
    done = after(world(shown), plan_operations(world(shown), now=NOW).operations)
    fewer = replace(done, wanted=(replace(shown, contents=shown.contents[:1]),))
    assert plan_operations(fewer, now=NOW).counts["unwanted"] == 1
    assert plan_operations(replace(done, wanted=()), now=NOW).counts["unwanted"] == 2


def test_the_plan_says_how_many_minutes_it_takes() -> None:
    shown = [content(number) for number in range(1, 18)]
    assert plan_operations(world(person(1, *shown)), now=NOW).minutes(18) == 1.0


def test_a_dry_run_says_how_many_sources_a_post_has() -> None:
    plan = plan_operations(world(person(1, content(1, source(1), source(2)))), now=NOW)
    assert plan.lines()[1] == "post   Person 1 ← Family · 2026-01-02 and 1 more"
