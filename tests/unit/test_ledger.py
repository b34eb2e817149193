"""The rules of the ledger: what is wanted, what a row becomes, when to try again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ids import MediaId
from archive.ledger import (
    CRASHED,
    IGNORED,
    PASS_PRODUCTS,
    PENDING,
    TRANSIENT,
    ChatPolicy,
    LedgerRow,
    Limits,
    Product,
    SkipReason,
    State,
    is_due,
    joint_verdict,
    next_try,
    reconcile,
    verdict,
)
from archive.records import SEARCHABLE_KINDS, MediaFile, MediaKind

LIMIT = 1000
LIMITS = Limits(LIMIT)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
OPEN = ChatPolicy(archive=True, faces=True, media_types=SEARCHABLE_KINDS)
NO_FACES = replace(OPEN, faces=False)


def a_file(kind: MediaKind = MediaKind.PHOTO, size: int | None = 10) -> MediaFile:
    return MediaFile(MediaId("photo:1"), kind, size_bytes=size)


policies = st.builds(
    ChatPolicy,
    archive=st.booleans(),
    faces=st.booleans(),
    media_types=st.frozensets(st.sampled_from(sorted(SEARCHABLE_KINDS))),
    max_media_bytes=st.none() | st.integers(1, 2000),
)
files = st.builds(
    a_file, st.sampled_from(MediaKind), st.none() | st.integers(min_value=0, max_value=3000)
)
producers = st.sampled_from(["one", "two"])
skips = st.none() | st.sampled_from(SkipReason)
rows = st.one_of(
    st.none(),
    st.just(PENDING),
    st.builds(LedgerRow, st.just(State.PENDING), st.none(), producers),
    st.builds(LedgerRow, st.just(State.DONE), st.none(), producers),
    st.builds(LedgerRow, st.just(State.SKIPPED), st.sampled_from(SkipReason)),
    st.builds(LedgerRow, st.just(State.SKIPPED), st.just("corrupt"), producers),
    st.builds(LedgerRow, st.just(State.FAILED), st.sampled_from([TRANSIENT, CRASHED]), producers),
)


@pytest.mark.parametrize("kind", sorted(SEARCHABLE_KINDS))
@pytest.mark.parametrize("product", PASS_PRODUCTS)
def test_what_can_hold_a_face_is_wanted(kind: MediaKind, product: Product) -> None:
    assert verdict(product, a_file(kind), OPEN, LIMITS) is None


@pytest.mark.parametrize(
    "kind",
    [MediaKind.STICKER, MediaKind.AUDIO, MediaKind.VOICE, MediaKind.DOCUMENT, MediaKind.PAID],
)
def test_other_kinds_are_left_out_even_where_a_chat_names_them(kind: MediaKind) -> None:
    greedy = replace(OPEN, media_types=frozenset(MediaKind))

    assert verdict(Product.FINGERPRINTS, a_file(kind), greedy, LIMITS) is SkipReason.TYPE


def test_view_once_is_never_wanted() -> None:
    greedy = replace(OPEN, media_types=frozenset(MediaKind))

    skip = verdict(Product.FINGERPRINTS, a_file(MediaKind.VIEW_ONCE), greedy, LIMITS)
    assert skip is SkipReason.VIEW_ONCE


def test_a_kind_that_the_chat_switched_off_is_left_out() -> None:
    photos_only = replace(OPEN, media_types=frozenset({MediaKind.PHOTO}))

    assert verdict(Product.FACES, a_file(MediaKind.VIDEO), photos_only, LIMITS) is SkipReason.TYPE
    assert verdict(Product.FACES, a_file(MediaKind.PHOTO), photos_only, LIMITS) is None


def test_the_limit_is_the_chats_own_where_it_has_one() -> None:
    generous = replace(OPEN, max_media_bytes=2000)
    strict = replace(OPEN, max_media_bytes=500)

    assert verdict(Product.FACES, a_file(size=LIMIT), OPEN, LIMITS) is None
    assert verdict(Product.FACES, a_file(size=LIMIT + 1), OPEN, LIMITS) is SkipReason.TOO_LARGE
    assert verdict(Product.FACES, a_file(size=2000), generous, LIMITS) is None
    assert verdict(Product.FACES, a_file(size=501), strict, LIMITS) is SkipReason.TOO_LARGE


def test_a_video_is_too_large_only_for_its_own_chat() -> None:
    video = a_file(MediaKind.VIDEO, size=LIMIT + 1)

    assert verdict(Product.FACES, video, OPEN, LIMITS) is None
    strict = replace(OPEN, max_media_bytes=LIMIT)
    assert verdict(Product.FACES, video, strict, LIMITS) is SkipReason.TOO_LARGE


def test_a_chat_without_faces_still_wants_fingerprints() -> None:
    assert verdict(Product.FINGERPRINTS, a_file(), NO_FACES, LIMITS) is None
    assert verdict(Product.FACES, a_file(), NO_FACES, LIMITS) is SkipReason.FACES_OFF
    assert verdict(Product.EMBEDDINGS, a_file(), NO_FACES, LIMITS) is SkipReason.FACES_OFF


def test_a_medium_of_chats_that_are_not_archived_is_not_judged() -> None:
    with pytest.raises(ValueError, match="archived"):
        joint_verdict(Product.FACES, a_file(), [replace(OPEN, archive=False)], LIMITS)


@given(st.sampled_from(PASS_PRODUCTS), files, st.lists(policies, min_size=1, max_size=4))
def test_the_most_permissive_archived_chat_decides(
    product: Product, file: MediaFile, chats: list[ChatPolicy]
) -> None:
    archived = [each for each in chats if each.archive]
    if not archived:
        return

    joint = joint_verdict(product, file, chats, LIMITS)

    alone = [verdict(product, file, each, LIMITS) for each in archived]
    assert joint in alone
    assert (joint is None) == (None in alone)
    assert joint == joint_verdict(product, file, reversed(chats), LIMITS)


@given(rows, skips, producers)
def test_looking_twice_changes_nothing_more(
    row: LedgerRow | None, skip: SkipReason | None, producer: str
) -> None:
    once = reconcile(row, skip, producer)

    assert reconcile(once, skip, producer) == once


@given(rows, producers)
def test_what_is_wanted_and_not_made_by_this_producer_is_open(
    row: LedgerRow | None, producer: str
) -> None:
    after = reconcile(row, None, producer)

    settled = after.state in {State.DONE, State.SKIPPED}
    assert not settled or after.producer == producer


@given(rows, st.sampled_from(SkipReason), producers)
def test_policy_takes_back_what_is_open_and_keeps_what_was_made(
    row: LedgerRow | None, skip: SkipReason, producer: str
) -> None:
    after = reconcile(row, skip, producer)

    if row is not None and row.state is State.DONE:
        assert after == row
    assert after.state in {State.DONE, State.SKIPPED}


def test_a_skip_by_policy_ends_with_the_policy() -> None:
    row = LedgerRow(State.SKIPPED, SkipReason.FACES_OFF)

    assert reconcile(row, None, "one") == PENDING
    assert reconcile(row, SkipReason.TYPE, "one") == LedgerRow(State.SKIPPED, SkipReason.TYPE)


def test_a_rejected_file_is_tried_again_by_another_producer_only() -> None:
    row = LedgerRow(State.SKIPPED, "corrupt", "one")

    assert reconcile(row, None, "one") == row
    assert reconcile(row, None, "two").state is State.PENDING


def test_without_a_model_what_a_model_made_is_not_stale() -> None:
    row = LedgerRow(State.DONE, producer="one")

    assert reconcile(row, None, None) == row


def test_the_wait_doubles_until_the_sixth_failure_gives_up() -> None:
    hour = timedelta(hours=1)

    waits = [next_try(attempts, hour, TRANSIENT) for attempts in (1, 2, 3, 4, 5, 6, 500)]

    assert waits == [hour, 2 * hour, 4 * hour, 8 * hour, 16 * hour, None, None]


def test_a_file_that_kills_its_child_is_tried_once_more() -> None:
    hour = timedelta(hours=1)

    assert [next_try(attempts, hour, CRASHED) for attempts in (1, 2, 3)] == [hour, None, None]


@given(st.one_of(skips, st.none()), st.none() | producers)
def test_what_a_person_ignores_stays_ignored(skip: SkipReason | None, producer: str | None) -> None:
    row = LedgerRow(State.SKIPPED, IGNORED, "one", 6)

    assert reconcile(row, skip, producer) == row


def test_a_failed_row_is_due_at_its_time() -> None:
    row = LedgerRow(State.FAILED, TRANSIENT, "one", 1, NOW)

    assert not is_due(row, NOW - timedelta(seconds=1))
    assert is_due(row, NOW)
    assert not is_due(replace(row, retry_at=None), NOW)
    assert is_due(PENDING, NOW)
    assert not is_due(LedgerRow(State.DONE, producer="one"), NOW)
