"""Logging in from the command line, against the loopback Telegram."""

import pytest

from cli.exits import ExitCode
from resources.telegram.sessions import Lane

from .conftest import API_HASH, CODE, PHONE, Shell, Town


def test_one_code_makes_a_session_for_every_lane(installed: Shell, town: Town) -> None:
    result = installed.run("login", typed=f"{PHONE}\n{CODE}\n")
    assert result.exit_code == 0, result.output
    assert f'{{"account": {town.me.id}, "name": "Ada"}}' in result.stdout
    names = {path.name for path in (installed.folder / "data" / "sessions").iterdir()}
    assert names == {f"{town.me.id}.{lane}.session" for lane in Lane}


def test_a_number_can_be_given_and_a_session_that_works_needs_no_second_code(ada: Shell) -> None:
    assert ada.rows("login", "--phone", PHONE)[0]["name"] == "Ada"


def test_a_wrong_code_says_what_to_do(installed: Shell, town: Town) -> None:
    result = installed.run("login", typed=f"{PHONE}\n1\n2\n3\n")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "code is wrong" in result.stderr
    assert "Traceback" not in result.output


def test_a_missing_application_key_is_asked_for_and_kept(
    installed: Shell, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TG_API_ID")
    monkeypatch.delenv("TG_API_HASH")
    result = installed.run("login", typed=f"20\n{API_HASH}\n{PHONE}\n{CODE}\n")
    assert result.exit_code == 0, result.output
    assert "face-archive init" in result.stderr
    assert API_HASH not in result.output
    env_file = installed.folder / ".env"
    assert env_file.read_text(encoding="utf-8") == f"TG_API_ID=20\nTG_API_HASH={API_HASH}\n"


def test_breaking_off_at_a_question_stores_nothing(installed: Shell, town: Town) -> None:
    result = installed.run("login", typed=f"{PHONE}\n")
    assert result.exit_code == ExitCode.FAILED
    assert not (installed.folder / "data" / "sessions").exists()


def test_after_a_logout_commands_lead_to_login(ada: Shell) -> None:
    assert len(ada.rows("logout", "--yes")) == len(Lane)
    result = ada.run("chats", "add", "@family_demo")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive login" in result.stderr
