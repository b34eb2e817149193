"""An installation to run commands in: a folder, a database, and perhaps a loopback Telegram."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cli.app import app
from telegram_sandbox import ChatHandle, Scenario, ThreadedSandbox, User, run_in_thread

PHONE = "+15550001"
CODE = "12345"
API_HASH = "hash-of-the-application"


def picture(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(buffer, "JPEG")
    return buffer.getvalue()


@dataclass
class Shell:
    """Runs commands as a person would, in one folder."""

    folder: Path

    def run(self, *args: object, typed: str = "") -> Result:
        """Run a command; every line of ``typed`` answers one question."""
        result = CliRunner().invoke(app, [str(arg) for arg in args], input=typed)
        known = result.exception is None or isinstance(result.exception, SystemExit)
        assert known, repr(result.exception)
        return result

    def rows(self, *args: object, typed: str = "") -> list[dict[str, Any]]:
        """Run a command that must succeed and return the rows it prints."""
        result = self.run(*args, typed=typed)
        assert result.exit_code == 0, result.output
        # The runner echoes what was typed at a visible question.
        return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A folder with nothing in it: no settings, no database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACE_ARCHIVE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FACE_ARCHIVE_MIN_FREE_DISK_GB", "0")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield Shell(tmp_path)
    # A command sends the logs to its own stderr, which is closed by now.
    root.handlers, root.level = handlers, level


@pytest.fixture
def installed(shell: Shell, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same with a migrated database of its own."""
    monkeypatch.setenv("FACE_ARCHIVE_DATABASE_URL", database_url)
    # Named so that no embedded server is started for it; nothing here asks Dagster.
    monkeypatch.setenv("FACE_ARCHIVE_DAGSTER_DATABASE_URL", "postgresql://nobody@localhost/none")
    return shell


@dataclass
class Town:
    """A loopback Telegram that the shell's settings point to."""

    sandbox: ThreadedSandbox
    me: User
    family: ChatHandle
    news: ChatHandle
    public: ChatHandle
    forum: ChatHandle
    scenario: Scenario


@pytest.fixture
def town(installed: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Groups of one account; ``Family`` has three pictures."""
    scenario = Scenario(seed=3)
    me = scenario.user("Ada", phone=PHONE, username="ada")
    tom = scenario.user("Tom")
    family = scenario.supergroup("Family", owner=me, members=[tom], username="family_demo")
    for color in ("teal", "red", "gold"):
        family.photo(tom, picture(color))
    news = scenario.channel("News", owner=tom, members=[me])
    public = scenario.supergroup("Open", owner=me, username="open_forum", forum=True)
    forum = scenario.supergroup("Ours", owner=me, forum=True)
    with run_in_thread(scenario) as sandbox:
        key = installed.folder / "telegram.pem"
        key.write_text(sandbox.public_key_pem, encoding="ascii")
        monkeypatch.setenv("TG_API_ID", "20")
        monkeypatch.setenv("TG_API_HASH", API_HASH)
        monkeypatch.setenv("FACE_ARCHIVE_TELEGRAM_SERVER", f"{sandbox.host}:{sandbox.port}")
        monkeypatch.setenv("FACE_ARCHIVE_TELEGRAM_SERVER_KEY", str(key))
        yield Town(sandbox, me, family, news, public, forum, scenario)
        assert sandbox.call(lambda running: running.state.unknown_requests) == []
        assert sandbox.call(lambda running: running.state.crashes) == []


@pytest.fixture
def ada(installed: Shell, town: Town) -> Shell:
    """The shell of somebody who is logged in."""
    installed.rows("login", typed=f"{PHONE}\n{CODE}\n")
    return installed
