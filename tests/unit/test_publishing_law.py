"""The law of publishing: whatever happens to people, the hub comes to what the archive says."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.publishing import Policy
from tests.unit.publishing_house import House

POLICIES = st.builds(Policy, st.integers(1, 2), st.booleans())


def grown(seed: int, policy: Policy, events: int = 8) -> tuple[House, random.Random]:
    """A house with a few people whom a few pictures show, and a hub that was never published to."""
    house, rng = House(policy), random.Random(seed)
    house.asks = rng.random() < 0.7
    for _ in range(events):
        house.befall(rng)
    return house, rng


@settings(max_examples=500)
@given(st.integers(0, 2**32), POLICIES, st.integers(1, 5))
def test_after_any_history_the_hub_is_what_it_should_be_and_nothing_is_left_to_do(
    seed: int, policy: Policy, rounds: int
) -> None:
    house, rng = grown(seed, policy)
    house.hub.changed = house.require_no_double
    for _ in range(rounds):
        planned, asked = house.plan().operations, house.asked()
        result = house.publish()
        assert result.done == len(planned)
        house.require_converged()
        assert house.plan().lines() == []
        # Nobody answers a question that comes and goes.
        assert {doubt for doubt in asked if house.may_ask(doubt)} <= {*house.asked()}
        for _ in range(rng.randint(1, 4)):
            house.befall(rng)


@settings(max_examples=500)
@given(st.integers(0, 2**32), POLICIES)
def test_dying_anywhere_while_people_change_leads_to_the_same_end(
    seed: int, policy: Policy
) -> None:
    house, rng = grown(seed, policy)
    house.hub.changed = house.require_no_double
    for _ in range(6):
        house.dies_publishing(rng.randint(1, 12), has_effect=rng.random() < 0.5)
        if rng.random() < 0.7:
            house.befall(rng)
    for _ in range(2):
        house.publish()
    house.require_converged()
    assert house.plan().lines() == []
