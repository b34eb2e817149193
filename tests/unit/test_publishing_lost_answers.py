"""What was sent without our knowing says what it said then: it is edited, not believed."""

from __future__ import annotations

from archive.publishing.outbox import NOTHING
from tests.unit.publishing_house import House

SUMMARY, POST = 2, 4


def somebody_in_two_chats() -> House:
    house = House()
    who = house.add_person()
    house.add_face(0, who)
    for chat_no in (1, 2):
        house.add_message(0, chat_no)
    return house


def test_a_post_whose_answer_was_lost_loses_the_name_of_a_chat_that_was_switched_off_since() -> (
    None
):
    house = somebody_in_two_chats()
    assert house.dies_publishing(POST, has_effect=True)
    house.allowed[2] = False
    house.publish()
    house.publish()
    house.require_converged()
    ((post,),) = [topic.posts for topic in house.hub.topics_.values()]
    assert "Chat 2" not in post.text


def test_a_summary_whose_answer_was_lost_says_the_new_name() -> None:
    house = somebody_in_two_chats()
    assert house.dies_publishing(SUMMARY, has_effect=True)
    (who,) = house.people.values()
    who.label = "Mia"
    house.publish()
    house.publish()
    house.require_converged()
    ((text,),) = [topic.texts for topic in house.hub.topics_.values()]
    assert "Mia" in text.text


def test_a_summary_whose_answer_was_lost_is_edited_even_if_that_run_ends_before() -> None:
    house = somebody_in_two_chats()
    assert house.dies_publishing(SUMMARY, has_effect=True)
    (who,) = house.people.values()
    who.label = "Mia"
    house.publish(max_operations=1)
    house.publish()
    house.require_converged()


def test_a_post_that_was_looked_for_in_vain_is_no_post_when_it_is_wanted_again() -> None:
    house = somebody_in_two_chats()
    assert house.dies_publishing(POST, has_effect=False)
    house.allowed[1] = house.allowed[2] = False
    (who,) = house.people
    other = house.add_person()
    house.add_face(4, who)
    house.add_message(4, 3)
    house.add_face(4, other)
    looked_for = 1
    assert house.dies_publishing(looked_for, has_effect=True)
    house.allowed[1] = True
    house.publish()
    house.publish()
    house.require_converged()


def test_a_topic_that_was_looked_for_in_vain_gets_its_name_when_it_is_wanted_again() -> None:
    house = somebody_in_two_chats()
    assert house.dies_publishing(1, has_effect=False)
    house.allowed[1] = house.allowed[2] = False
    assert house.dies_publishing(1, has_effect=True)
    assert [topic.title for topic in house.hub.topics_.values()] == [NOTHING]
    house.allowed[1] = True
    house.publish()
    house.publish()
    house.require_converged()
