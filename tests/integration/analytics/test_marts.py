"""The numbers of every mart against PostgreSQL's rows, worked out in another way."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import pytest

from tests.integration.analytics.conftest import Built
from tests.integration.analytics.reference import Reference, Tables
from tests.integration.analytics.world import CLUB, FAMILY, HUB, OLD_GROUP, WORK

MARTS = {
    "dim_identity": "identity_id label is_named is_hidden first_seen_at last_seen_at faces"
    " contents",
    "dim_chat": "chat_no title kind archive_allowed faces_allowed publish_allowed first_message_at"
    " last_message_at messages members_seen",
    "fct_appearance": "identity_id content_key chat_no message_id seen_at kind faces best_quality"
    " sender_id",
    "fct_identity_day": "identity_id day contents appearances chats",
    "identity_stats": "identity_id label first_seen_at last_seen_at contents appearances chats"
    " active_days longest_streak_days growth_30d days_since_seen",
    "co_appearance": "identity_a identity_b label_a label_b contents_together albums_together"
    " together expected_together lift",
    "chat_activity": "chat_no title month messages media photos videos senders people",
    "ingestion_health": "chat_no title windows windows_read coverage open_gaps failures"
    " lag_seconds oldest_pending_at",
    "duplicate_savings": "kind contents copies bytes_saved near_copies",
}


@pytest.fixture(scope="module")
def reference(built: Built) -> Reference:
    return Reference(Tables.read(built.toolbox.database))


def test_the_marts_have_the_columns_that_were_promised_and_each_is_described(built: Built) -> None:
    described = built.warehouse.columns()
    columns = defaultdict(list)
    for column in described:
        columns[column.mart].append(column.name)
    assert columns == {mart: names.split() for mart, names in MARTS.items()}
    assert [column for column in described if not (column.about and column.mart_about)] == []


def test_people_are_the_ones_of_the_archive_with_what_is_seen_of_them(
    built: Built, reference: Reference
) -> None:
    expected = set()
    appearances = reference.appearances()
    for person, row in reference.people.items():
        times = [when for key, (when, *_) in appearances.items() if key[0] == person]
        faces = {key[1]: faces for key, (_, faces, _) in appearances.items() if key[0] == person}
        expected.add(
            (
                person,
                reference.label(person),
                row["label"] is not None,
                row["state"] == "hidden",
                min(times, default=None),
                max(times, default=None),
                sum(faces.values()),
                len(faces),
            )
        )
    assert set(built.rows("FROM dim_identity")) == expected
    assert {hidden for *_, hidden, _, _, _, _ in expected} == {True, False}


def test_chats_are_one_with_what_they_became_and_hubs_are_none(
    built: Built, reference: Reference
) -> None:
    rows = {row[0]: row for row in built.rows("FROM dim_chat")}
    assert set(rows) == {str(FAMILY), str(CLUB), str(WORK)}
    for chat_no in (FAMILY, CLUB, WORK):
        said = [m for m in reference.live if reference.home(m["chat_no"]) == chat_no]
        chat = reference.chats[chat_no]
        assert rows[str(chat_no)] == (
            str(chat_no),
            chat["title"],
            chat["kind"],
            chat["allow_archive"],
            chat["allow_faces"],
            chat["allow_publish"],
            min(m["sent_at"] for m in said),
            max(m["sent_at"] for m in said),
            len(said),
            len({m["sender_id"] for m in said if m["sender_id"]}),
        )


def test_an_appearance_is_a_person_in_a_content_that_a_message_shows(
    built: Built, reference: Reference
) -> None:
    found: dict[tuple[str, str, str, str], Any] = {
        (person, content, chat, message): (when, faces, pytest.approx(quality))
        for person, content, chat, message, when, faces, quality in built.rows(
            "SELECT identity_id, content_key, chat_no, message_id, seen_at, faces, best_quality"
            " FROM fct_appearance"
        )
    }
    expected = reference.appearances()
    assert len(expected) > 100
    assert found == expected
    shown = {
        (str(s.chat_no), str(s.message_id), s.content, s.kind, s.sender_id and str(s.sender_id))
        for s in reference.seen
    }
    for row in built.rows(
        "SELECT chat_no, message_id, content_key, kind, sender_id FROM fct_appearance"
    ):
        assert row in shown


def test_nobody_appears_where_faces_are_off_or_in_a_hub(built: Built) -> None:
    chats = {row[0] for row in built.rows("SELECT DISTINCT chat_no FROM fct_appearance")}
    assert chats == {str(FAMILY), str(CLUB)}
    assert not chats & {str(WORK), str(HUB), str(OLD_GROUP)}


def test_a_day_counts_contents_messages_and_chats(built: Built, reference: Reference) -> None:
    found = {
        (person, day): tuple(counts) for person, day, *counts in built.rows("FROM fct_identity_day")
    }
    assert found == reference.days()


def test_what_is_said_of_a_person_is_what_the_days_add_up_to(
    built: Built, reference: Reference
) -> None:
    rows = {row[0]: row[1:] for row in built.rows("FROM identity_stats")}
    visible = {p for p, row in reference.people.items() if row["state"] == "visible"}
    assert set(rows) == visible
    for person in visible:
        label, first, last, contents, appearances, chats, active, streak, growth, since = rows[
            person
        ]
        mine = {k: v for k, v in reference.appearances().items() if k[0] == person}
        times = [when for when, *_ in mine.values()]
        assert label == reference.label(person)
        assert (first, last) == (min(times), max(times))
        assert (contents, appearances) == (len({k[1] for k in mine}), len(mine))
        assert chats == len({k[2] for k in mine})
        assert active == len({when.date() for when in times})
        assert streak == reference.longest_streak(person)
        ages = [built.since - when for when in times]
        month = timedelta(days=30)
        assert growth == sum(a < month for a in ages) - sum(month <= a < 2 * month for a in ages)
        assert since in {(at.date() - max(times).date()).days for at in (built.since, built.until)}


def test_pairs_are_seen_in_one_picture_or_one_album_and_compared_with_chance(
    built: Built, reference: Reference
) -> None:
    found = {(a, b): row for a, b, *row in built.rows("FROM co_appearance")}
    expected = reference.together()
    assert set(found) == set(expected)
    assert any(albums and not contents for contents, albums, *_ in expected.values()) or any(
        together > contents for contents, _, together, _ in expected.values()
    )
    for pair, (contents, albums, together, by_chance) in expected.items():
        assert found[pair] == [
            *map(reference.label, pair),
            contents,
            albums,
            together,
            pytest.approx(by_chance),
            pytest.approx(together / by_chance),
        ]


def test_a_month_of_a_chat_counts_what_was_said_shown_and_seen(
    built: Built, reference: Reference
) -> None:
    def month(at: date) -> date:
        return date(at.year, at.month, 1)

    said: defaultdict[tuple[int, date], list[int | None]] = defaultdict(list)
    for message in reference.live:
        key = (reference.home(message["chat_no"]), month(message["sent_at"]))
        said[key].append(message["sender_id"])
    kinds: defaultdict[tuple[int, date], Counter[str]] = defaultdict(Counter)
    for each in reference.seen:
        kinds[each.chat_no, month(each.sent_at)][each.kind] += 1
    people: defaultdict[tuple[int, date], set[str]] = defaultdict(set)
    for (person, _, chat, _), (when, *_) in reference.appearances().items():
        people[int(chat), month(when)].add(person)
    expected = {
        (
            str(chat),
            reference.chats[chat]["title"],
            when,
            len(senders),
            kinds[chat, when].total(),
            kinds[chat, when]["photo"] + kinds[chat, when]["image_document"],
            sum(kinds[chat, when][kind] for kind in ("video", "round_video", "gif")),
            len({sender for sender in senders if sender}),
            len(people[chat, when]),
        )
        for (chat, when), senders in said.items()
    }
    assert set(built.rows("FROM chat_activity")) == expected


def test_health_counts_windows_gaps_and_failures_of_a_chat(
    built: Built, reference: Reference
) -> None:
    rows = {row[0]: row[2:] for row in built.rows("FROM ingestion_health")}
    failed = {
        row["media_id"] for row in reference.tables.of["failures"] if row["ignored_at"] is None
    }
    for chat_no in (FAMILY, CLUB, WORK):
        windows, read, coverage, gaps, failures, lag, oldest = rows[str(chat_no)]
        mine = [
            w for w in reference.tables.of["windows"] if reference.home(w["chat_no"]) == chat_no
        ]
        waiting = [
            u
            for u in reference.tables.of["unanswered_updates"]
            if reference.home(u["chat_no"]) == chat_no
        ]
        done = sum(w["read_at"] is not None and not w["dirty"] for w in mine)
        assert (windows, read) == (len(mine), done)
        assert coverage == (pytest.approx(done / len(mine)) if mine else None)
        assert gaps == sum(u["change"] == "gap" for u in waiting)
        shown = {s.media_id for s in reference.seen if s.chat_no == chat_no}
        assert failures == len(shown & failed)
        assert oldest == min((u["created_at"] for u in waiting), default=None)
        if oldest is None:
            assert lag == 0
        else:
            low, high = ((at - oldest).total_seconds() for at in (built.since, built.until))
            assert low <= lag <= high
    assert rows[str(FAMILY)][3] == 1


def test_copies_are_what_was_sent_again_and_near_copies_what_looks_alike(
    built: Built, reference: Reference
) -> None:
    sizes = {blob["content_key"]: blob["size_bytes"] for blob in reference.tables.of["blobs"]}
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for each in reference.seen:
        if each.content:
            sources[each.content].append(each.kind)
    alike = Counter(
        min(sources[pair["first_key"]])
        for pair in reference.tables.of["near_copies"]
        if pair["first_key"] in sources and pair["second_key"] in sources
    )
    by_kind: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for content, kinds in sources.items():
        again = len(kinds) - 1
        by_kind[min(kinds)].append((again, again * sizes[content]))
    expected = {
        (kind, len(rows), sum(n for n, _ in rows), sum(size for _, size in rows), alike[kind])
        for kind, rows in by_kind.items()
    }
    assert set(built.rows("FROM duplicate_savings")) == expected
