"""`face-archive import` from the command line: what it asks, what it prints, how it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archive.ids import AccountId, ChatId
from archive.records import ChatKind, PeerInfo
from cli.exits import ExitCode
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.exports import ExportStore

from .conftest import Shell, Town, picture


def export(folder: Path, *items: dict[str, Any], **head: object) -> Path:
    folder.mkdir(exist_ok=True)
    whole = {"name": "Club", "type": "private_supergroup", "id": 77} | head
    (folder / "result.json").write_text(json.dumps(whole | {"messages": list(items)}))
    return folder


def message(number: int, **fields: object) -> dict[str, Any]:
    return {"id": number, "type": "message", "date_unixtime": "1700000000", "text": "Hi"} | fields


def stored(url: str) -> int:
    with Database(url) as database, database.transaction() as connection:
        row = connection.execute("SELECT count(*) FROM messages").fetchone()
    return int(row[0]) if row else 0


def test_it_asks_before_it_stores_anything(
    installed: Shell, tmp_path: Path, database_url: str
) -> None:
    folder = export(tmp_path / "export", message(1), message(2))

    (refused,) = installed.rows("import", folder, typed="n\n")
    assert refused["outcome"] == "not allowed: nothing was read"
    assert stored(database_url) == 0

    (row,) = installed.rows("import", folder, typed="y\nn\n")
    assert (row["outcome"], row["messages"], row["added"], row["windows"]) == ("imported", 2, 2, 1)
    (chat,) = installed.rows("chats", "list")
    assert chat["allowed"] == ["archive"]

    # What is allowed is not asked again.
    (again,) = installed.rows("import", folder, typed="n\n")
    assert (again["added"], again["updated"]) == (0, 0)


def test_a_private_chat_needs_to_know_whose_it_is(installed: Shell, tmp_path: Path) -> None:
    folder = export(tmp_path / "export", message(9), type="personal_chat", id=5)

    refused = installed.run("import", folder, "--allow", "archive")
    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert "--account" in refused.output

    (row,) = installed.rows("import", folder, "--allow", "archive,faces", "--account", 12)
    assert row["added"] == 1
    # Who never logged in is no account of ours.
    assert installed.rows("accounts", "list") == []
    assert installed.run("backfill", "--dry-run").exit_code == ExitCode.OK


def test_of_a_whole_account_only_the_named_chats_come(
    installed: Shell, tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "export").mkdir()
    chats = [
        {"name": name, "type": "private_supergroup", "id": number, "messages": [message(1)]}
        for number, name in enumerate(("A", "B", "C"), 1)
    ]
    strange = {"name": "D", "type": "hologram", "id": 9, "messages": [message(1)]}
    whole = {"about": "", "chats": {"list": [*chats, strange]}}
    (tmp_path / "export" / "result.json").write_text(json.dumps(whole))

    (row,) = installed.rows("import", tmp_path / "export", "--allow", "archive", "--chat", "B")
    assert row["title"] == "B"
    assert stored(database_url) == 1

    rows = installed.rows("import", tmp_path / "export", "--allow", "archive")
    assert [row["added"] for row in rows] == [1, 0, 1, 0]
    assert "hologram" in rows[-1]["outcome"]


def test_a_broken_export_keeps_what_came_and_says_where_it_broke(
    installed: Shell, tmp_path: Path, database_url: str
) -> None:
    folder = export(tmp_path / "export", message(1), message(2))
    path = folder / "result.json"
    path.write_text(path.read_text()[:-12])

    broken = installed.run("import", folder, "--allow", "archive")

    assert broken.exit_code == ExitCode.PERSON_MUST_ACT
    assert "byte" in broken.output
    assert json.loads(broken.stdout.splitlines()[0])["outcome"] == "breaks off"
    assert stored(database_url) == 1


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_what_is_no_export_says_what_to_do(
    installed: Shell, tmp_path: Path, content: str | None
) -> None:
    (tmp_path / "export").mkdir()
    if content is not None:
        (tmp_path / "export" / "result.json").write_text(content)

    refused = installed.run("import", tmp_path / "export", "--allow", "archive")

    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert "result.json" in refused.output


def test_a_folder_of_pictures_is_a_chat_that_grows(installed: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "Summer"
    (folder / "lake").mkdir(parents=True)
    (folder / "lake" / "one.jpg").write_bytes(picture("teal"))
    (folder / "notes.txt").write_text("no picture")
    (folder / "away.jpg").symlink_to(tmp_path / "elsewhere.jpg")

    (row,) = installed.rows("import", "--folder", folder, "--allow", "archive,faces")
    assert (row["title"], row["added"], row["media"]) == ("Summer", 1, 1)
    assert row["rejected"] == {"no_picture": 1, "link": 1}

    (folder / "two.png").write_bytes(picture("red"))
    (row,) = installed.rows("import", "--folder", folder, "--allow", "archive,faces")
    assert (row["messages"], row["added"], row["updated"]) == (2, 1, 0)


def test_a_chat_that_was_imported_is_read_by_the_account_that_adds_it(
    ada: Shell, town: Town, tmp_path: Path, database_url: str
) -> None:
    bare = -town.family.id - 10**12
    ada.rows("import", export(tmp_path / "export", message(1), id=bare), "--allow", "archive")

    ada.rows("chats", "add", "@family_demo")

    with Database(database_url) as database, database.transaction() as connection:
        found = connection.execute(
            "SELECT account_id, dirty, from_export FROM chats JOIN windows USING (chat_no)"
        ).fetchall()
    assert found == [(town.me.id, True, True)]


def test_a_chat_that_was_imported_and_is_discovered_is_joined_only_when_it_is_allowed_again(
    ada: Shell, town: Town, tmp_path: Path, database_url: str
) -> None:
    bare = -town.family.id - 10**12
    ada.rows("import", export(tmp_path / "export", message(1), id=bare), "--allow", "archive")

    def readers() -> list[tuple[Any, ...]]:
        with Database(database_url) as database, database.transaction() as connection:
            return connection.execute("SELECT account_id FROM chats WHERE allow_archive").fetchall()

    ada.rows("chats", "discover")
    assert readers() == [(0,)]
    ada.rows("chats", "allow", "Family", "--faces")
    assert readers() == [(town.me.id,)]


def test_an_account_without_the_key_to_a_chat_is_not_asked_for_it(
    ada: Shell, town: Town, tmp_path: Path, database_url: str
) -> None:
    folder = export(tmp_path / "export", message(9), type="personal_chat", id=5)
    (row,) = ada.rows("import", folder, "--allow", "archive", "--account", town.me.id)

    with Database(database_url) as database:
        exports, chats = ExportStore(database), ChatStore(database)
        assert not exports.is_readable(row["chat_no"])

        met = PeerInfo(ChatId(5), ChatKind.PRIVATE, "Club", access_hash=7)
        chat = chats.upsert_peer(AccountId(town.me.id), met)

        assert chat.chat_no == row["chat_no"]
        assert exports.is_readable(chat.chat_no)
        assert [window.dirty for window in chats.windows(chat.chat_no)] == [True]
