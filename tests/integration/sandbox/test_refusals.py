"""The errors that the sandbox answers with are Telegram's own."""

import re
from pathlib import Path

import pytest
from telethon import errors
from telethon.errors import rpcerrorlist

import telegram_sandbox
from telegram_sandbox.errors import code_of

# Telegram documents these; Telethon 1.45 has no class for them.
WITHOUT_A_CLASS = {
    "ICON_COLOR_INVALID",
    "REPLY_MESSAGE_ID_INVALID",
    "TOPIC_CLOSED",
    "TOPIC_HIDE_INVALID",
    "TOPIC_ID_INVALID",
    "TOPIC_NOT_MODIFIED",
    "TOPIC_TITLE_EMPTY",
}


def used_names() -> list[str]:
    """Returns every error name that the source mentions in a refusal."""
    room = Path(telegram_sandbox.__file__).parent
    source = "\n".join(path.read_text() for path in sorted(room.rglob("*.py")))
    return sorted(set(re.findall(r'RpcRefusal\(\s*"([A-Z0-9_]+)"', source)))


@pytest.mark.parametrize("name", used_names())
def test_a_refusal_has_a_name_and_code_that_telegram_uses(name: str) -> None:
    known = rpcerrorlist.rpc_errors_dict.get(name)

    assert known or name in WITHOUT_A_CLASS
    if known:
        family = next(
            (base.code for base in known.__mro__[1:] if getattr(base, "code", None)), None
        )
        assert family == code_of(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("FLOOD_WAIT_30", 420),
        ("FILE_MIGRATE_4", 303),
        ("FLOOD_PREMIUM_WAIT_2", 420),
        ("SESSION_REVOKED", 401),
        ("INTERNAL_SERVER_ERROR", 500),
        ("Timeout", -503),
    ],
)
def test_errors_that_tests_ask_for_carry_their_code(name: str, code: int) -> None:
    assert code_of(name) == code


def test_every_name_without_a_class_is_still_without_one() -> None:
    assert all(name not in errors.rpcerrorlist.rpc_errors_dict for name in WITHOUT_A_CLASS)
