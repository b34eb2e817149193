"""The people and chats that the tests of the sandbox are about."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from telethon import errors

from telegram_sandbox import ChatHandle, Scenario, User

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 9000


@dataclass
class Story:
    """The people and chats that the tests are about."""

    scenario: Scenario
    mia: User
    ben: User
    tom: User
    family: ChatHandle
    news: ChatHandle
    hub: ChatHandle
    private: ChatHandle


Connect = Callable[..., Awaitable[Any]]


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Expects the error of that name, whether Telethon has a class for it or not."""
    known = errors.rpcerrorlist.rpc_errors_dict.get(name)
    with pytest.raises(known or errors.RPCError) as caught:
        yield
    assert known or name in str(caught.value)
