"""An import that is killed, and what cron makes of imports that need no account."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from cli.demo.photos import group_photo
from cli.demo.scenario import DemoWorld
from cli.exits import ExitCode
from telegram_sandbox import Scenario
from tests.fixtures.commands import face_archive, rows
from tests.fixtures.dumps import differences, dump
from tests.fixtures.installation import Install
from tests.fixtures.kills import RowWritten, Worker

MESSAGES = 4_500
COMMAND = Path(sys.executable).with_name("face-archive")


def write_export(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    messages = [
        {"id": number, "type": "message", "date_unixtime": "1700000000", "text": f"No. {number}"}
        for number in range(1, MESSAGES + 1)
    ]
    head = {"name": "Club", "type": "private_supergroup", "id": 77}
    (folder / "result.json").write_text(json.dumps(head | {"messages": messages}))


def test_an_import_that_was_killed_is_completed_by_importing_again(
    install: Install, tmp_path: Path
) -> None:
    export = tmp_path / "export"
    write_export(export)
    arguments = ("import", str(export), "--allow", "archive")
    with install(DemoWorld(Scenario(seed=1), ())) as whole:
        face_archive(whole.environment, *arguments)
        expected = dump(whole.toolbox.database)

    with install(DemoWorld(Scenario(seed=1), ())) as installation:
        worker = Worker([str(COMMAND), *arguments], installation)
        code = worker.run_until(RowWritten("messages", 2_500))
        with installation.toolbox.database.transaction() as connection:
            (kept,) = connection.execute("SELECT count(*) FROM messages").fetchone() or (None,)
        (again,) = rows(face_archive(installation.environment, *arguments))

        assert code == -signal.SIGKILL
        assert kept == 2_000
        assert (again["messages"], again["added"]) == (MESSAGES, MESSAGES - kept)
        assert differences(dump(installation.toolbox.database), expected) == {}


def test_catching_up_needs_no_account_where_all_came_from_exports(
    install: Install, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "all.jpg").write_bytes(group_photo())
    with install(DemoWorld(Scenario(seed=1), ()), FACE_ARCHIVE_MIN_FACES="2") as installation:
        nobody = face_archive(installation.environment, "catch-up", "--once")
        options = ("--folder", folder, "--allow", "archive,faces")
        face_archive(installation.environment, "import", *options)
        done = face_archive(installation.environment, "catch-up", "--once")

        assert nobody.exit_code == ExitCode.PERSON_MUST_ACT
        assert done.exit_code == ExitCode.OK, done.output
        assert rows(done)[0]["windows"] == 1
        with installation.toolbox.database.transaction() as connection:
            assert connection.execute("SELECT count(*) FROM faces").fetchone() == (6,)
