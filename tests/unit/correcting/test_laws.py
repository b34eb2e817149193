"""Laws of correcting, whatever is done in whatever order; the store is a log in memory."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.identity.projection import Projection
from tests.fakes.corrections import MemoryCorrections
from tests.fixtures.corrections import BY_PERSON, FACES, Attempt, Stage, attempts, require_harmony

STORIES = st.lists(attempts(), max_size=14)


def memory_stage() -> tuple[Stage, MemoryCorrections]:
    store = MemoryCorrections({face: number / 10 for number, face in enumerate(FACES)})
    stage = Stage(store)
    stage.populate()
    return stage, store


@settings(max_examples=150)
@given(STORIES)
def test_no_word_of_a_person_is_ever_broken(story: list[Attempt]) -> None:
    stage, store = memory_stage()
    for attempt in story:
        stage.try_(attempt)
        require_harmony(store, stage.people)


@settings(max_examples=150)
@given(STORIES)
def test_taking_back_what_was_just_done_leaves_nothing_of_it(story: list[Attempt]) -> None:
    stage, store = memory_stage()
    for attempt in story:
        before = store.state.values()
        decision = stage.try_(attempt)
        if decision is None or not decision.kind.by_person:
            continue
        after = store.state.values()
        undoing = stage.undo(decision.decision_id)
        assert store.state.values() == before
        stage.undo(undoing)
        assert store.state.values() == after


@settings(max_examples=150)
@given(st.lists(attempts(BY_PERSON), max_size=14))
def test_everything_can_be_taken_back_to_the_beginning(story: list[Attempt]) -> None:
    stage, store = memory_stage()
    states = [store.state.values()]
    for attempt in story:
        if stage.try_(attempt) is not None:
            states.append(store.state.values())
    assert len(states) == len(stage.decisions) + 1
    for decision_id in reversed(stage.decisions):
        assert store.state.values() == states.pop()
        stage.undo(decision_id)
    assert store.state.values() == states.pop()


@settings(max_examples=150)
@given(STORIES)
def test_replaying_the_log_gives_the_state_and_a_refusal_changes_nothing(
    story: list[Attempt],
) -> None:
    stage, store = memory_stage()
    for attempt in story:
        before, length = store.state.values(), len(store.log)
        if stage.try_(attempt) is None:
            assert (store.state.values(), len(store.log)) == (before, length)
    assert Projection.replay(store.log) == store.state
