"""What was one album is posted as one, and each of its posts lives on by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.publishing.albums import MAX_ALBUM, requests
from archive.publishing.operations import PostContent
from archive.publishing.outbox import OutboxState
from archive.publishing.planning import plan_operations
from tests.unit.publishing_house import House
from tests.unit.publishing_world import NOW, chat, content, person, source, world

# 0 and 1 are near copies, and so are 2 and 3; these are not.
ALBUM = (0, 2, 4)


def house_with_album() -> House:
    house = House()
    who = house.add_person()
    for number in ALBUM:
        house.add_face(number, who)
        house.add_message(number, 1)
    return house


def sizes(*albums: int | None) -> list[int]:
    """How large the requests are for contents of these albums, oldest first."""
    pictures = [
        content(number, replace(source(number), grouped_id=album))
        for number, album in enumerate(albums, 1)
    ]
    planned = plan_operations(world(person(1, *pictures)), now=NOW).operations
    posts = [operation for operation in planned if isinstance(operation, PostContent)]
    return [len(request) for request in requests(posts)]


def test_pictures_of_one_album_are_one_request_and_one_write() -> None:
    house = house_with_album()
    assert house.publish().done == 6
    assert (house.hub.albums, house.hub.writes) == ([3], 4)
    house.require_converged()


@pytest.mark.parametrize(
    ("albums", "expected"),
    [
        ((None, None), [1, 1]),
        ((1, 1, None, 2, 2), [2, 1, 2]),
        ((1, 2, 1), [2, 1]),
        ((1,) * 23, [10, 10, 3]),
    ],
)
def test_albums_stay_together_and_no_request_has_more_than_telegram_takes(
    albums: tuple[int | None, ...], expected: list[int]
) -> None:
    assert sizes(*albums) == expected
    assert max(expected) <= MAX_ALBUM


def test_the_same_number_in_another_chat_is_another_album() -> None:
    one = content(1, replace(source(1), grouped_id=5))
    other = content(2, replace(source(2, chat(2)), grouped_id=5))
    planned = plan_operations(world(person(1, one, other)), now=NOW).operations
    assert max(map(len, requests(planned))) == 1


def test_where_telegram_refuses_the_album_each_picture_is_posted_by_itself() -> None:
    house = house_with_album()
    house.hub.refuses_albums = True
    house.hub.changed = house.require_no_double
    assert house.publish().sent == 4
    house.require_converged()
    assert house.plan().lines() == []


def test_a_lost_answer_is_resolved_by_repeating_the_same_album() -> None:
    house = house_with_album()
    assert house.dies_publishing(4, has_effect=True)
    sent = {(row.random_id, row.album_id) for row in house.store.posts.values()}
    assert {row.state for row in house.store.posts.values()} == {OutboxState.SENDING}
    house.publish()
    assert {(row.random_id, row.album_id) for row in house.store.posts.values()} == sent
    assert house.hub.albums == [3, 3]
    house.require_converged()


def test_one_picture_of_an_album_can_leave_by_itself() -> None:
    house = house_with_album()
    house.publish()
    house.faces = {face: shown for face, shown in house.faces.items() if shown[0] != ALBUM[1]}
    house.publish()
    house.require_converged()
    ((first, last),) = [topic.posts for topic in house.hub.topics_.values()]
    assert first.content_key != last.content_key


def test_a_caption_of_a_lost_album_loses_the_name_of_a_chat_that_was_switched_off_since() -> None:
    house = house_with_album()
    house.add_message(ALBUM[0], 2)
    assert house.dies_publishing(4, has_effect=True)
    house.allowed[2] = False
    house.publish()
    house.publish()
    house.require_converged()


def test_a_chat_that_is_switched_off_before_the_album_is_repeated_takes_its_picture_along() -> None:
    house = house_with_album()
    house.add_message(6, 2)
    house.add_face(6, next(iter(house.people)))
    assert house.dies_publishing(4, has_effect=False)
    house.allowed[1] = False
    house.publish()
    house.publish()
    house.require_converged()


@given(at_write=st.integers(1, 12), has_effect=st.booleans(), refuses=st.booleans())
def test_dying_anywhere_around_an_album_leads_to_the_same_end(
    *, at_write: int, has_effect: bool, refuses: bool
) -> None:
    house = house_with_album()
    house.hub.changed = house.require_no_double
    house.hub.refuses_albums = refuses
    house.dies_publishing(at_write, has_effect=has_effect)
    house.hub.refuses_albums = False
    house.publish()
    house.publish()
    house.require_converged()
    assert house.plan().lines() == []
