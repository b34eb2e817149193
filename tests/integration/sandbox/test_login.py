"""Logging in with a code, a token, a password; being logged out."""

from typing import Any

import pytest
from telethon import errors

from telegram_sandbox import Sandbox

from .story import Connect, Story


async def test_a_client_logs_in_with_the_code(client: Any, sandbox: Sandbox, story: Story) -> None:
    me = await client.get_me()

    assert (me.id, me.first_name, me.phone) == (story.mia.id, "Mia", "15550001")
    assert sandbox.state.unknown_requests == []


async def test_a_wrong_code_is_refused(connect: Connect, story: Story) -> None:
    client = await connect()
    await client.sign_in(story.mia.phone)

    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(story.mia.phone, "54321")
