"""The people and chats that the tests of the sandbox are about."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

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
