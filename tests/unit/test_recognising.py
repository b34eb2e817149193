"""What a restored backup does not know of a hub: the law of taking it back."""

from __future__ import annotations

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.publishing import Policy, adopt, no_pace, remove_strays
from archive.publishing.doubts import REVIEW
from archive.publishing.drift import SeenMessage, names_source
from archive.publishing.outbox import OutboxState
from archive.publishing.recognising import LostPost, Recognised
from tests.unit.publishing_house import House
from tests.unit.publishing_vandal import foreign
from tests.unit.test_publishing_law import POLICIES, grown


def forget(house: House, rng: random.Random) -> None:
    """Lose the rows of some topics that show something, and of some posts elsewhere."""
    for whose in [key for key in house.store.topics if key != REVIEW]:
        posts = [key for key, row in house.store.posts.items() if row.identity_id == whose]
        there = [key for key in posts if house.store.posts[key].state is OutboxState.SENT]
        if there and rng.random() < 0.5:
            del house.store.topics[whose]
            house.store.summaries.pop(whose, None)
        else:
            posts = [key for key in there if rng.random() < 0.5]
        for key in posts:
            del house.store.posts[key]


def take_back(house: House, *, dry_run: bool = False) -> Recognised:
    return asyncio.run(adopt(house.store, house.hub, house.store.hub_, dry_run=dry_run))


def unknown(house: House) -> list[SeenMessage]:
    """Return what is ours in the hub though no row knows it."""
    known = {row.message_id for row in house.store.posts.values()}
    known |= {row.message_id for row in house.store.summaries.values()}
    return [each for each in house.hub.seen() if each.is_ours and each.message_id not in known]


def remove(house: House, found: Recognised) -> int:
    store, hub = house.store, house.hub
    return asyncio.run(remove_strays(store, hub, hub, store.hub_, found.strays, pace=no_pace))


@settings(max_examples=300)
@given(st.integers(0, 2**32), POLICIES, st.integers(0, 1))
def test_whatever_rows_are_lost_and_whatever_happens_then_the_hub_comes_right_without_a_double(
    seed: int, policy: Policy, changes: int
) -> None:
    house, rng = grown(seed, policy)
    house.publish()
    if changes:
        house.befall(rng)
        house.dies_publishing(rng.randint(1, 5), has_effect=True)
    for topic_id in house.hub.topics_:
        if rng.random() < 0.2:
            house.hub.add_foreign(topic_id, "I was here", None)
    said, before = foreign(house.hub), set(house.hub.topics_)
    forget(house, rng)
    if changes:
        house.befall(rng)
    house.hub.changed = house.require_no_double

    found = take_back(house)
    # Gone with others' words in it, a topic would take them along.
    assert remove(house, found) == len(found.strays)
    assert foreign(house.hub) == said
    assert take_back(house) == Recognised()
    # What may have been sent is not told before that is found out.
    for _ in range(3):
        house.publish()
        remove(house, take_back(house))
    house.publish()
    assert house.plan().lines() == []
    left = unknown(house)
    assert not [each for each in left if names_source(each)]
    if not left:
        house.require_converged()
    if not changes and not found.strays:
        # Everything was told, so nothing was made again.
        assert set(house.hub.topics_) == before
        assert not [row for row in house.store.posts.values() if row.state is OutboxState.SENDING]


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_where_people_are_the_same_every_post_is_taken_back_as_what_it_was(seed: int) -> None:
    house, rng = grown(seed, Policy())
    house.publish()
    sent = {
        row.message_id: (row.identity_id, row.content_key) for row in house.store.posts.values()
    }
    forget(house, rng)
    found = take_back(house, dry_run=True)
    assert take_back(house) == found
    for lost in found.lost:
        if isinstance(lost, LostPost):
            whose = lost.wanted.identity.identity_id
            assert (whose, lost.content.content_key) == sent[lost.message_id]
