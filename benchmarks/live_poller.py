"""The peer of live updates: a client that asks once a minute what is new, and looks for faces.

Telethon as its manual shows it, with our engine loaded all the time: it has nothing to start.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from typing import Any, Final, Self

from benchmarks.live_stage import CODE, Live
from cli.demo.scenario import PHONE

_API: Final = (20, "benchmark")
_LOOK_AGAIN_SECONDS: Final = 0.1


class Poller:
    """Polls one chat in a thread.

    Args:
        live: The installation whose family chat is polled; nothing is stored in it.
        pause_seconds: From poll to poll.

    Attributes:
        seen: When the faces of each message were found.
    """

    def __init__(self, live: Live, pause_seconds: float) -> None:
        self.seen: dict[int, float] = {}
        self._live = live
        self._pause_seconds = pause_seconds
        self._ready = threading.Event()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._poll()))

    def until_all(self, expected: Iterable[int], seconds: float) -> None:
        """Wait until all of them were found, or so long."""
        wanted = set(expected)
        deadline = time.time() + seconds
        while not wanted <= self.seen.keys() and time.time() < deadline:
            time.sleep(_LOOK_AGAIN_SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(60)
        return self

    def __exit__(self, *error: object) -> None:
        self._enough.set()
        self._thread.join()

    async def _poll(self) -> None:
        from telethon import TelegramClient
        from telethon.sessions import StringSession

        session = StringSession()
        session.set_dc(2, self._live.telegram.host, self._live.telegram.port)
        client: Any = TelegramClient(session, *_API, receive_updates=False)
        await client.connect()
        try:
            await client.sign_in(PHONE)
            await client.sign_in(PHONE, CODE)
            async with self._live.toolbox.vision() as vision:
                await self._ask_again_and_again(client, vision)
        finally:
            await client.disconnect()

    async def _ask_again_and_again(self, client: Any, vision: Any) -> None:
        dialogs = [each async for each in client.iter_dialogs()]
        (family,) = [each for each in dialogs if each.id == self._live.family_id]
        newest = family.message.id
        self._ready.set()
        while not await self._paused():
            for message in reversed(await client.get_messages(family, None, min_id=newest)):
                newest = message.id
                if message.photo:
                    data = await client.download_media(message, bytes)
                    await vision.analyse(data, "image")
                    self.seen[message.id] = time.time()

    async def _paused(self) -> bool:
        """Wait for the next poll; whether it is enough."""
        deadline = time.time() + self._pause_seconds
        while time.time() < deadline and not self._enough.is_set():
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return self._enough.is_set()
