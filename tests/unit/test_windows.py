from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Permanent
from archive.ids import ChatNo, MessageId
from archive.records import IdSpace
from archive.windows import (
    MAX_MESSAGE_ID,
    OWN_WIDTH,
    PLACEHOLDER_WIDTH,
    Descent,
    Window,
    WindowRow,
    choose_width,
    dense_windows,
    next_descent,
    parse_key,
    window_at,
)

CHAT = ChatNo(77)
ids = st.integers(1, MAX_MESSAGE_ID).map(MessageId)
widths = st.integers(0, 18).map(lambda power: OWN_WIDTH * 2**power)


@given(st.integers(1, 2**53), ids, ids)
def test_a_key_names_its_window_and_nothing_else(chat_no: int, one: int, other: int) -> None:
    window = Window(ChatNo(chat_no), MessageId(min(one, other)), MessageId(max(one, other)))

    assert parse_key(window.key) == window
    assert set(window.key) <= set("0123456789_")


@pytest.mark.parametrize(
    "text", ["", "77", "77_1_2", "77_0000000002_0000000001", "77_0000000000_0000000001", "x_1_2"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Permanent, match="not the key of a window"):
        parse_key(text)


def test_keys_of_a_chat_sort_like_its_windows() -> None:
    windows = list(dense_windows(CHAT, MessageId(123_456_789), 10_000_000))

    assert sorted(windows, key=lambda window: window.key) == windows[::-1]


@given(st.integers(1, 500_000).map(MessageId), st.integers(0, 500_000).map(MessageId))
def test_windows_cover_every_new_id_exactly_once_newest_first(
    top: MessageId, through: MessageId
) -> None:
    windows = list(dense_windows(CHAT, top, OWN_WIDTH, through))

    assert [window.first_id for window in windows] == sorted(
        (window.first_id for window in windows), reverse=True
    )
    for probe in {through + 1, through + OWN_WIDTH, top - 1, top}:
        if through < probe <= top:
            assert sum(MessageId(probe) in window for window in windows) == 1
    for newer, older in pairwise(windows):
        assert older.last_id + 1 == newer.first_id
    assert all(window.last_id > through for window in windows)


def test_a_chat_without_messages_has_no_windows() -> None:
    assert list(dense_windows(CHAT, MessageId(0), OWN_WIDTH)) == []


@pytest.mark.parametrize("top", [1, 9_999, 10_000, 10_001])
def test_the_oldest_and_the_newest_id_lie_in_a_window(top: int) -> None:
    windows = list(dense_windows(CHAT, MessageId(top), OWN_WIDTH))

    assert windows[-1].first_id == 1
    assert MessageId(top) in windows[0]
    assert len(windows) == (2 if top > OWN_WIDTH else 1)


@given(ids, widths)
def test_an_id_lies_in_its_window(message_id: MessageId, width: int) -> None:
    window = window_at(CHAT, message_id, width)

    assert message_id in window
    assert window.last_id - window.first_id + 1 == width
    assert (window.first_id - 1) % width == 0


@given(ids, ids, st.integers(-1, 2**31))
def test_a_sparse_window_holds_about_ten_thousand_messages(one: int, other: int, n: int) -> None:
    oldest, top = MessageId(min(one, other)), MessageId(max(one, other))
    width = choose_width(IdSpace.ACCOUNT, oldest=oldest, top=top, count=n)

    span = top - oldest + 1
    if 0 < n <= span and n < 2**30:
        assert (width // OWN_WIDTH).bit_count() == 1
        assert 0.7 < width * (n / span) / OWN_WIDTH < 1.5
    else:
        assert width == PLACEHOLDER_WIDTH


def test_a_placeholder_count_gives_the_wide_default() -> None:
    width = choose_width(
        IdSpace.ACCOUNT, oldest=MessageId(1), top=MAX_MESSAGE_ID, count=2_147_483_646
    )

    assert width == PLACEHOLDER_WIDTH


def test_a_dense_space_has_one_width_whatever_the_server_counts() -> None:
    assert (
        choose_width(IdSpace.OWN, oldest=MessageId(1), top=MessageId(5_000_000), count=3)
        == OWN_WIDTH
    )


WINDOW = Window(CHAT, MessageId(10_001), MessageId(20_000))
READ = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_new_window_is_read_whole_and_sealed_if_later_ids_exist() -> None:
    row = WindowRow(WINDOW, known_top=MessageId(20_001))

    assert next_descent(row) == Descent(MessageId(20_001), MessageId(10_001), MessageId(20_000))


def test_an_open_window_is_read_only_above_its_watermark() -> None:
    row = WindowRow(WINDOW, watermark=MessageId(12_000), known_top=MessageId(12_345), read_at=READ)

    assert next_descent(row) == Descent(MessageId(20_001), MessageId(12_001), MessageId(12_345))


def test_a_sealed_window_is_read_again_only_when_asked() -> None:
    row = WindowRow(WINDOW, watermark=MessageId(20_000), known_top=MessageId(99_999), read_at=READ)

    assert next_descent(row) is None
    assert next_descent(row, whole=True) == Descent(
        MessageId(20_001), MessageId(10_001), MessageId(20_000)
    )


def test_a_reading_in_progress_goes_on_where_it_stopped() -> None:
    descent = Descent(MessageId(15_000), MessageId(10_001), MessageId(18_000))

    assert next_descent(WindowRow(WINDOW, descent=descent), whole=True) == descent


def test_a_window_at_the_end_of_the_id_space_asks_for_no_id_beyond_it() -> None:
    window = window_at(CHAT, MAX_MESSAGE_ID, OWN_WIDTH)
    descent = next_descent(WindowRow(window, known_top=MAX_MESSAGE_ID))

    assert descent is not None
    assert descent.cursor == MAX_MESSAGE_ID
