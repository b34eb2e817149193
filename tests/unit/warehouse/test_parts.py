"""Pieces of a table: nothing lies outside, nothing lies in two, and no change is missed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archive.warehouse.parts import Change, days, tiles, touched

IDS = st.integers(0, 300)
CHATS = st.dictionaries(st.integers(1, 4), st.lists(IDS, max_size=6, unique=True), max_size=4)


@given(CHATS, st.integers(1, 4), IDS)
def test_every_message_of_a_known_chat_lies_in_exactly_one_piece(
    starts: dict[int, list[int]], chat_no: int, message_id: int
) -> None:
    inside = [
        part
        for part in tiles(starts)
        if part.space == chat_no and part.first <= message_id < part.until
    ]
    assert len(inside) == (chat_no in starts)


@given(CHATS, st.lists(st.tuples(st.integers(1, 5), IDS, IDS), max_size=5))
def test_exactly_the_pieces_in_which_something_changed_are_found(
    starts: dict[int, list[int]], spans: list[tuple[int, int, int]]
) -> None:
    parts = tiles(starts)
    changes = [Change("messages", space, min(a, b), max(a, b)) for space, a, b in spans]
    expected = {
        part
        for part in parts
        for change in changes
        if part.space == change.space and part.first <= change.last and change.first < part.until
    }
    assert touched(parts, changes) == expected


def test_days_are_pieces_of_their_own() -> None:
    assert [(part.first, part.until) for part in days([7, 3, 7])] == [(3, 4), (7, 8)]


def test_a_piece_keeps_its_name_when_it_grows() -> None:
    (before,), (now, _) = tiles({5: [1]}), tiles({5: [1, 10_001]})
    assert (before.name, before.until) != (now.name, now.until)
    assert before.name == now.name
