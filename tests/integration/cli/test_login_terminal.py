"""Logging in at a terminal, as a person does: what is asked, what is shown, and what is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from cli.exits import ExitCode
from resources.telegram.sessions import Lane
from telegram_sandbox import User
from tests.fixtures.running import COMMAND
from tests.fixtures.terminal import Terminal, terminal

from .conftest import CODE, Shell, Town

GRACE_PHONE = "+15550002"
PASSWORD = "correct horse"
# The last blank comes when nothing typed is shown any more.
ASKED_FOR_PASSWORD = "Two-factor password (not shown): "

Run = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture
def grace(town: Town) -> User:
    """An account with a two-factor password."""
    return town.sandbox.call(
        lambda _: town.scenario.user("Grace", phone=GRACE_PHONE, password=PASSWORD)
    )


@pytest.fixture
def face_archive(installed: Shell, town: Town) -> Run:
    """Runs a command in a terminal."""
    return lambda *arguments: terminal(
        [COMMAND, *arguments], installed.folder, {**os.environ, "TERM": "dumb"}
    )


def test_one_code_and_a_password_that_nobody_sees_are_enough_for_good(
    face_archive: Run, installed: Shell, town: Town, grace: User
) -> None:
    with face_archive("login") as at:
        at.sees("Phone number")
        at.types(GRACE_PHONE)
        at.sees("Code from Telegram")
        at.types(CODE)
        at.sees(ASKED_FOR_PASSWORD)
        at.types("wrong horse")
        at.sees(ASKED_FOR_PASSWORD)
        at.types(PASSWORD)
        assert at.ends() == ExitCode.OK, at.shown
        assert "Grace" in at.shown
        assert "horse" not in at.shown
    assert town.sandbox.call(lambda sandbox: sandbox.sessions_of(grace)) == len(Lane)

    # Every lane of it works in other processes, and logging in again asks for nothing.
    with face_archive("login", "--phone", GRACE_PHONE) as at:
        assert at.ends() == ExitCode.OK, at.shown
        assert "Code" not in at.shown
    assert installed.rows("chats", "discover") is not None
    assert town.sandbox.call(lambda sandbox: sandbox.state.requests["auth.sendCode"]) == 1


def test_three_wrong_passwords_end_it_and_say_what_to_do(face_archive: Run, grace: User) -> None:
    with face_archive("login", "--phone", GRACE_PHONE) as at:
        at.sees("Code from Telegram")
        at.types(CODE)
        for _ in range(3):
            at.sees(ASKED_FOR_PASSWORD)
            at.types("wrong")
        assert at.ends() == ExitCode.PERSON_MUST_ACT
        assert "two-factor password is wrong" in at.shown
        assert "face-archive login" in at.shown


@pytest.mark.parametrize(
    ("method", "error", "said"),
    [
        ("auth.signIn", "PHONE_CODE_EXPIRED", "code is too old; run `face-archive login`"),
        ("auth.sendCode", "PHONE_NUMBER_BANNED", "banned this number"),
        ("auth.sendCode", "PHONE_NUMBER_INVALID", "with its country code"),
        ("auth.sendCode", "FLOOD_WAIT_4000", "asks to wait 4000 s"),
        ("auth.sendCode", "PHONE_PASSWORD_FLOOD", "too many tries"),
    ],
)
def test_what_telegram_refuses_is_said_with_the_way_out(
    installed: Shell, town: Town, method: str, error: str, said: str
) -> None:
    town.sandbox.call(lambda sandbox: sandbox.faults.error(method, error))
    result = installed.run("login", "--phone", "+15550001", typed=f"{CODE}\n")
    assert result.exit_code in {ExitCode.PERSON_MUST_ACT, ExitCode.TRY_LATER}
    assert said in " ".join(result.stderr.split())
    assert not (installed.folder / "data" / "sessions").exists()


def test_a_code_to_scan_is_shown_with_its_link(face_archive: Run, town: Town) -> None:
    with face_archive("login", "--qr") as at:
        at.sees("▀")
        at.sees("tg://login?token=")
