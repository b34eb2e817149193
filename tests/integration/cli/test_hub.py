"""The hub, and publishing into it, from the command line."""

import json

from cli.exits import ExitCode

from .conftest import Shell, Town


def test_a_hub_is_made_used_and_checked(ada: Shell) -> None:
    made = ada.rows("hub", "create", "Our people")[0]
    assert (made["title"], made["in_use"]) == ("Our people", True)
    checked = ada.rows("hub", "check")[0]
    assert checked["can_manage_topics"]
    assert not checked["is_public"]


def test_another_forum_takes_over_and_both_are_listed(ada: Shell, town: Town) -> None:
    ada.rows("hub", "create")
    ada.rows("hub", "use", town.forum.id)
    assert [row["title"] for row in ada.rows("hub", "list")] == ["Ours", "People"]


def test_a_public_forum_is_refused_with_the_way_out(ada: Shell) -> None:
    result = ada.run("hub", "use", "@open_forum")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "hub create" in " ".join(result.stderr.split())


def test_a_source_is_never_a_hub(ada: Shell, town: Town) -> None:
    ada.rows("chats", "add", town.forum.id)
    ada.rows("chats", "allow", town.forum.id, "--archive", "--yes")
    result = ada.run("hub", "use", town.forum.id)
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "deny" in result.stderr


def test_a_lost_right_fails_the_check_and_says_which(ada: Shell, town: Town) -> None:
    ada.rows("hub", "use", town.forum.id)
    town.sandbox.call(lambda running: running.restrict(town.forum, town.me, manage_topics=False))
    result = ada.run("hub", "check")
    assert result.exit_code == ExitCode.FAILED
    assert not json.loads(result.stdout)["can_manage_topics"]
    assert "Manage topics" in result.stderr


def test_without_a_hub_publishing_says_how_to_get_one(installed: Shell) -> None:
    result = installed.run("publish", "--dry-run")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "hub create" in result.stderr


def test_a_hub_that_lacks_nothing_gets_nothing(ada: Shell) -> None:
    ada.rows("hub", "create")
    plan = ada.rows("publish", "--dry-run")
    assert [(row["operations"], row["minutes"]) for row in plan] == [(0, 0.0)]
    published = ada.rows("publish")[0]
    assert (published["sent"], published["remaining"], published["model"]) == (0, 0, "dlib")


def test_identify_names_the_model_that_ran(installed: Shell) -> None:
    row = installed.rows("identify")[0]
    assert (row["model"], row["identities"], row["stopped_reason"]) == ("dlib", 0, "settled")
