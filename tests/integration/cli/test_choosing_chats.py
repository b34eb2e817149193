"""Discovering chats and allowing several at once, as a person types it."""

from __future__ import annotations

import json

import pytest

from cli.exits import ExitCode
from telegram_sandbox import ChatHandle
from telegram_sandbox.dialog_lists import Folder

from .conftest import Shell, Town

ON = ("--archive", "--faces")


@pytest.fixture
def at_home(ada: Shell, town: Town) -> Shell:
    """Somebody whose chats were discovered."""
    ada.rows("chats", "discover")
    return ada


def sort_into_folder(town: Town, title: str, *chats: ChatHandle) -> None:
    folder = Folder(title, [chat.record for chat in chats])
    town.sandbox.call(lambda running: running.world.dialog_lists[town.me.id].folders.append(folder))


def allowed(shell: Shell) -> dict[str, list[str]]:
    return {row["title"]: row["allowed"] for row in shell.rows("chats", "list")}


def test_what_is_discovered_is_listed_as_new_and_nothing_of_it_is_archived(
    ada: Shell, town: Town
) -> None:
    found = {row["title"]: row["allowed"] for row in ada.rows("chats", "discover")}

    assert found == {"Family": [], "News": [], "Open": [], "Ours": []}
    assert ada.rows("chats", "list") == []
    assert {row["title"] for row in ada.rows("chats", "list", "--new")} == set(found)
    assert all(row["new"] for row in ada.rows("chats", "list", "--all"))


def test_a_flood_is_shown_while_it_is_slept(ada: Shell, town: Town) -> None:
    town.sandbox.call(lambda running: running.faults.flood("messages.getDialogs", 1))
    assert "Telegram asks to wait 1 s" in ada.run("chats", "discover").stderr


def test_a_long_flood_says_when_to_come_back_and_nothing_is_lost(ada: Shell, town: Town) -> None:
    town.sandbox.call(lambda running: running.faults.flood("messages.getDialogs", 3600, first=2))
    broken = ada.run("chats", "discover")
    town.sandbox.call(lambda running: running.faults.clear())
    assert broken.exit_code == ExitCode.TRY_LATER
    assert "3600 s" in broken.stderr
    assert len(ada.rows("chats", "list", "--all")) == 4


def test_what_reading_takes_is_shown_before_it_is_asked(at_home: Shell) -> None:
    refused = at_home.run("chats", "allow", "Family", "News", *ON, typed="n\n")

    assert refused.exit_code == ExitCode.FAILED
    assert all(word in refused.stderr for word in ("photos", "minutes", "megabytes", "all 2 chats"))
    assert allowed(at_home) == {}

    at_home.rows("chats", "allow", "Family", "News", *ON, typed="y\n")

    assert allowed(at_home) == {"Family": ["archive", "faces"], "News": ["archive", "faces"]}


def test_a_dry_run_counts_and_changes_nothing(at_home: Shell, town: Town) -> None:
    family, news, total = at_home.rows("chats", "allow", "Family", "News", *ON, "--dry-run")

    assert (family["messages"], family["photos"], family["videos"]) == (4, 3, 0)
    assert family["minutes"] >= 0
    assert family["megabytes"] > 0
    assert total["messages"] == family["messages"] + news["messages"]
    assert allowed(at_home) == {}
    assert town.sandbox.call(lambda running: running.state.requests["upload.getFile"]) == 0


def test_a_pattern_of_titles_means_every_chat_that_is_like_it(at_home: Shell) -> None:
    at_home.rows("chats", "allow", "--title", "o*", "--archive", "--yes")
    assert set(allowed(at_home)) == {"Open", "Ours"}


def test_a_folder_of_the_app_means_its_chats(at_home: Shell, town: Town) -> None:
    sort_into_folder(town, "Home", town.family, town.forum)
    at_home.rows("chats", "allow", "--folder", "home", "--archive", "--yes")
    assert set(allowed(at_home)) == {"Family", "Ours"}


def test_a_folder_that_is_not_there_is_answered_with_those_that_are(
    at_home: Shell, town: Town
) -> None:
    sort_into_folder(town, "Home", town.family)
    result = at_home.run("chats", "allow", "--folder", "Work", "--archive", "--yes")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "'Home'" in result.stderr


def test_where_a_rule_forbids_some_chats_the_others_are_allowed_and_the_row_says_why(
    at_home: Shell, town: Town
) -> None:
    town.sandbox.call(lambda running: setattr(town.news.record, "noforwards", True))
    at_home.rows("chats", "discover")
    chats = ("Family", "News")
    rows = at_home.rows("chats", "allow", *chats, *ON, "--publish", "--yes")

    assert {row["title"]: row["allowed"] for row in rows} == {
        "Family": ["archive", "faces", "publish"],
        "News": [],
    }
    assert "forbids copying" in rows[1]["refused"]


def test_chats_have_to_be_named_somehow(at_home: Shell) -> None:
    assert at_home.run("chats", "allow", "--archive").exit_code == ExitCode.USAGE


def test_a_chat_that_was_left_says_so_in_the_list(at_home: Shell, town: Town) -> None:
    at_home.rows("chats", "allow", "News", "--archive", "--yes")
    town.sandbox.call(lambda running: running.remove_member(town.news, town.me))
    result = at_home.run("chats", "allow", "News", "--faces")
    assert json.loads(result.stdout)["allowed"] == ["archive", "faces"]
    (news,) = at_home.rows("chats", "list")
    assert (news["state"], bool(news["why"])) == ("lost", True)
