"""The hub, and publishing into it, from the command line."""

import json

from telethon.tl import types

from cli.exits import ExitCode

from .conftest import Shell, Town, picture


def test_a_hub_is_made_used_and_checked(ada: Shell) -> None:
    made = ada.rows("hub", "create", "Our people")[0]
    assert (made["title"], made["in_use"]) == ("Our people", True)
    checked = ada.rows("hub", "check")[0]
    assert checked["can_manage_topics"]
    assert not checked["is_public"]


def test_another_forum_takes_over_once_that_is_said_and_both_are_listed(
    ada: Shell, town: Town
) -> None:
    ada.rows("hub", "create")
    for arguments in (("use", town.forum.id), ("create", "People 2")):
        refused = ada.run("hub", *arguments)
        assert refused.exit_code == ExitCode.PERSON_MUST_ACT
        assert "“People”" in refused.stderr
        assert "hub add" in refused.stderr
    assert [(row["title"], row["in_use"]) for row in ada.rows("hub", "list")] == [("People", True)]

    ada.rows("hub", "use", town.forum.id, "--instead")
    # Again, it takes the place of nothing.
    ada.rows("hub", "use", town.forum.id)
    listed = [(row["title"], row["in_use"]) for row in ada.rows("hub", "list")]
    assert listed == [("Ours", True), ("People", False)]


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


def test_a_check_prints_what_differs_from_what_was_published(ada: Shell, town: Town) -> None:
    ada.rows("hub", "use", town.forum.id)
    town.sandbox.call(lambda _: town.forum.topic(town.me, "Chatter"))
    found, summary = ada.rows("publish", "check", "--apply")
    assert found["found"] == "unknown  topic Chatter"
    assert (summary["unknown_topics"], summary["drifted"]) == (1, 0)


def test_a_check_of_what_is_no_hub_says_where_the_hubs_are_listed(ada: Shell, town: Town) -> None:
    ada.rows("hub", "create")
    result = ada.run("publish", "check", "--hub", "-1001")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "hub list" in " ".join(result.stderr.split())


def test_further_hubs_have_rules_and_a_hub_can_be_let_go_of(ada: Shell, town: Town) -> None:
    ada.rows("chats", "add", town.family.id)
    ada.rows("hub", "create")
    ada.rows("chats", "tag", town.family.id, "#friends", "music")
    ada.rows("hub", "add", town.forum.id, "--chat", town.family.id, "--tag", "music")
    ada.rows("hub", "add", "--new", "People 2")
    listed = {row["title"]: row for row in ada.rows("hub", "list")}
    assert {title: row["chats"] for title, row in listed.items()} == {
        "People": "all others",
        "Ours": ["Family", "#music"],
        "People 2": "all others",
    }
    assert all(row["in_use"] for row in listed.values())
    ada.rows("hub", "retire", "People 2")
    assert all(row["in_use"] for row in ada.rows("hub", "list"))
    ada.rows("hub", "retire", "People 2", "--yes")
    assert [row["title"] for row in ada.rows("hub", "list") if row["in_use"]] == ["People", "Ours"]


def test_every_hub_is_published_to_and_a_blocked_one_says_why_in_its_status(
    ada: Shell, town: Town
) -> None:
    ada.rows("hub", "create")
    ada.rows("hub", "add", town.forum.id, "--tag", "work")
    town.sandbox.call(lambda running: running.restrict(town.forum, town.me, manage_topics=False))
    published = {row["hub"]: row for row in ada.rows("publish", "apply")}
    assert published["People"]["stopped"] == "done"
    assert "Manage topics" in published["Ours"]["blocked"]
    status = {row["hub"]: row for row in ada.rows("publish", "status")}
    assert (status["People"]["state"], status["Ours"]["state"]) == ("ready", "blocked")
    assert "Manage topics" in status["Ours"]["reason"]
    assert [row["hub"] for row in ada.rows("publish", "status", "--hub", "People")] == ["People"]
    found = [json.loads(line) for line in ada.run("doctor").stdout.splitlines() if line[:1] == "{"]
    (hub,) = [row for row in found if (row["name"], row["state"]) == ("hub", "fail")]
    assert "Ours" in hub["finding"]
    assert "hub check" in hub["way_out"]


def test_a_further_hub_is_either_there_or_made(ada: Shell, town: Town) -> None:
    for arguments in ([], [town.forum.id, "--new", "People 2"]):
        assert ada.run("hub", "add", *arguments).exit_code == ExitCode.USAGE


def test_what_a_restored_backup_does_not_know_is_deleted_once_that_was_asked(
    ada: Shell, town: Town
) -> None:
    ada.rows("hub", "use", town.forum.id)

    def post(_: object) -> None:
        where = town.forum.topic(town.me, "Person 1")
        said = "Family · 2026-01-02"
        link = types.MessageEntityTextUrl(0, len(said), "https://t.me/c/1/2")
        town.forum.photo(town.me, picture("red"), caption=said, entities=[link], topic=where)

    town.sandbox.call(post)
    dry, _ = ada.rows("publish", "adopt")
    assert dry["found"] == "remove topic Person 1"
    refused = ada.run("publish", "adopt", "--apply", "--remove-unknown", typed="n\n")
    assert refused.exit_code != 0
    assert "Delete 1 of ours in Ours?" in refused.stderr
    *_, removed = ada.rows("publish", "adopt", "--apply", "--remove-unknown", "--yes")
    assert removed == {"hub": "Ours", "removed": 1}
    assert town.sandbox.call(lambda _: [each.title for each in town.forum.topics]) == ["General"]
