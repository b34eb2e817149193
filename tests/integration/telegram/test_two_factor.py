from __future__ import annotations

from typing import Any

import pytest
from telethon import password
from telethon.tl import functions

from resources.telegram.errors import TelegramRefused
from resources.telegram.two_factor import TwoFactor


class Person:
    """Types passwords, one after another."""

    def __init__(self, *passwords: str) -> None:
        self.waiting = list(passwords)

    async def ask(self) -> str:
        return self.waiting.pop(0)


async def server(request: Any) -> str:
    """Stands in for a connection: the sandbox speaks no two-factor yet."""
    if isinstance(request, functions.account.GetPasswordRequest):
        return "rules"
    if request.password == "expired":
        raise TelegramRefused("SRP_ID_INVALID")
    if request.password != "right":
        raise TelegramRefused("PASSWORD_HASH_INVALID")
    return "logged in"


@pytest.fixture(autouse=True)
def _proof_is_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "compute_check", lambda rules, typed: typed)


async def test_the_password_is_asked_for_once_however_many_lanes_need_it() -> None:
    person = Person("right")
    two_factor = TwoFactor(person.ask)
    assert [await two_factor.check(server) for _ in range(3)] == ["logged in"] * 3  # type: ignore[arg-type]


async def test_a_wrong_password_is_asked_for_again() -> None:
    person = Person("wrong", "right")
    assert await TwoFactor(person.ask).check(server) == "logged in"  # type: ignore[arg-type]


async def test_a_third_wrong_password_ends_it_and_says_what_to_do() -> None:
    person = Person("a", "b", "c", "right")
    with pytest.raises(TelegramRefused, match=r"two-factor password is wrong.*face-archive login"):
        await TwoFactor(person.ask).check(server)  # type: ignore[arg-type]
    assert person.waiting == ["right"]


async def test_another_refusal_is_not_answered_by_asking_again() -> None:
    person = Person("expired", "right")
    with pytest.raises(TelegramRefused, match="SRP_ID_INVALID"):
        await TwoFactor(person.ask).check(server)  # type: ignore[arg-type]
    assert person.waiting == ["right"]
