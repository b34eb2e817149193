"""The server in a thread of its own, for tests without a loop and for worker processes.

Here belongs crossing from one thread to another; the server itself knows no threads.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from telegram_sandbox.handles import ChatHandle
from telegram_sandbox.scenario import Scenario
from telegram_sandbox.server import Sandbox

_T = TypeVar("_T")
CALL_TIMEOUT_SECONDS = 30.0


class ThreadedSandbox:
    """A sandbox that runs in another thread."""

    def __init__(self, sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        """Keeps the server and the loop it runs in."""
        self._sandbox = sandbox
        self._loop = loop
        self.host = sandbox.host
        self.port = sandbox.port
        self.public_key_pem = sandbox.public_key_pem

    def call(self, function: Callable[[Sandbox], _T]) -> _T:
        """Runs a function on the sandbox in the server's thread and returns its result."""

        async def run() -> _T:
            return function(self._sandbox)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(CALL_TIMEOUT_SECONDS)

    def post(self, chat: ChatHandle, change: Callable[[ChatHandle], _T]) -> _T:
        """Changes a chat while the server runs, and pushes the update."""
        return self.call(lambda _: change(chat))


@contextmanager
def run_in_thread(
    scenario: Scenario, *, port: int = 0, file_dc: int | None = None
) -> Iterator[ThreadedSandbox]:
    """Runs a sandbox in a daemon thread until the block ends."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    started = threading.Event()
    sandbox = Sandbox(scenario, port=port, file_dc=file_dc)
    failure: list[BaseException] = []

    async def serve() -> None:
        async with sandbox:
            started.set()
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            failure.append(error)
            started.set()
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="telegram-sandbox", daemon=True)
    thread.start()
    started.wait()
    if failure:
        raise failure[0]
    try:
        yield ThreadedSandbox(sandbox, loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(CALL_TIMEOUT_SECONDS)
