"""What Dagster and its sensors do, without them: windows that are due are read until none is.

Each window is a run: the assets' own steps, tried again at once where Dagster would wait. Two
lanes work side by side, as live runs do beside a backfill. A wait that would end a run is over
when the run is asked for again (``let_pass``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from archive.chats import add_chat, allow
from archive.errors import Transient
from archive.history import plan_windows
from archive.ids import AccountId
from archive.listening import due_windows
from archive.media_pass import run_media_pass
from archive.records import Switches
from archive.windows import Window
from archive_assets import telegram
from archive_assets.outcomes import LONGEST_WAIT_SECONDS
from benchmarks.soak.clock import SPEED
from resources.store.database import Database
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox
from sensors.ear import listening

_MOST_TRIES: Final = 20
"""As many as Dagster makes of a step (`archive_assets.outcomes`)."""

_LONGEST_PAUSE_SECONDS: Final = 15.0
"""What a busy lane or window asks for."""
_LOOK_AGAIN_SECONDS: Final = 0.2
_A_DAY_SECONDS: Final = 86_400.0

_LET_PASS: Final = (
    "UPDATE accounts SET flood_until = flood_until - interval '1 day'",
    "UPDATE windows SET resume_at = resume_at - interval '1 day'",
    "UPDATE media_products SET retry_at = retry_at - interval '1 day'",
    "UPDATE media_products SET updated_at = updated_at - interval '1 day'",
    "UPDATE message_media SET created_at = created_at - interval '1 day'",
    "UPDATE takeouts SET refused_until = refused_until - interval '1 day'",
)


class Worker:
    """Does what is due in an archive.

    Args:
        toolbox: The archive.
        account_id: The account whose chats are read.
    """

    def __init__(self, toolbox: Toolbox, account_id: AccountId) -> None:
        self._toolbox = toolbox
        self.account_id = account_id
        options = toolbox.media_pass_options
        # The store's clock tells leases, and it is not the quick one.
        self._options = replace(options, lease_seconds=options.lease_seconds / SPEED)

    async def allow(self, chat_ids: Sequence[int]) -> None:
        """Let chats be archived, and plan their windows."""
        for chat_id in chat_ids:
            await self._until_done(partial(self._allow, chat_id))

    async def go_on(self, stop: asyncio.Event) -> None:
        """Do whatever becomes due, until told to stop."""
        while not stop.is_set():
            await self.rest()
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def rest(self) -> None:
        """Do everything that is due."""
        await asyncio.gather(self._live(), self._backfill())

    async def catch_up(self) -> None:
        """Fetch what Telegram owes, as a listener does that starts anew."""
        while True:
            try:
                async with listening(self._toolbox, self.account_id) as ear:
                    await ear.catch_up()
            except Transient:
                await asyncio.sleep(1)
            else:
                return

    async def look_at(self, window: Window, lane: Lane) -> None:
        """Fingerprint the media of a window, once.

        Raises:
            Transient: Some of them did not come.
        """
        box = self._toolbox
        async with (
            box.vision(faces=False) as vision,
            box.telegram(lane, self.account_id) as account,
        ):
            result = await run_media_pass(
                window,
                box.chats.get(window.chat_no),
                account.media,
                vision,
                box.media,
                box.blobs,
                options=self._options,
                owner=f"soak {lane}",
                clock=lambda: datetime.now(UTC),
            )
        if not result.complete:
            raise Transient("Some media of the window are not done yet.", _A_DAY_SECONDS)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is due."""
        box = self._toolbox
        return not due_windows(box.inbox) and not box.history.windows_to_submit()

    async def _live(self) -> None:
        while due := await asyncio.to_thread(due_windows, self._toolbox.inbox):
            live = [each.window for each in due if not each.is_repair]
            if not live:
                return
            await self._run(live[0], Lane.LIVE)

    async def _backfill(self) -> None:
        while due := await asyncio.to_thread(self._old):
            await self._run(due[0], Lane.BACKFILL)

    def _old(self) -> list[Window]:
        repairs = [each.window for each in due_windows(self._toolbox.inbox) if each.is_repair]
        return [*(row.window for row in self._toolbox.history.windows_to_submit()), *repairs]

    async def _run(self, window: Window, lane: Lane) -> None:
        # The asset's own step: it also follows a group to the supergroup that it has become.
        await self._until_done(lambda: telegram._read(self._toolbox, window, lane))
        await self._until_done(lambda: self.look_at(window, lane))

    async def _allow(self, chat_id: int) -> None:
        box = self._toolbox
        async with box.telegram(Lane.LIVE, self.account_id) as account:
            chat = await add_chat(str(chat_id), self.account_id, account.peers, box.chats)
            chat = allow(chat, Switches(archive=True), box.chats)
            await plan_windows(chat, account.history, box.history)

    async def _until_done(self, step: Callable[[], Awaitable[object]]) -> None:
        for tried in range(1, _MOST_TRIES + 1):
            try:
                await step()
            except Transient as error:
                if tried == _MOST_TRIES:
                    raise
                wait = error.retry_after_seconds or 0
                if wait > LONGEST_WAIT_SECONDS:
                    await asyncio.to_thread(let_pass, self._toolbox.database)
                # Whoever has the lane or the window does not work on the quick clock, and whoever
                # was cut off needs a moment to let go: more patience each time.
                await asyncio.sleep(min(max(wait, 1), _LONGEST_PAUSE_SECONDS) * tried)
            else:
                return


class Life:
    """Something that runs until it is told to stop, and may be cut off and begun again.

    Args:
        live: What runs.
    """

    def __init__(self, live: Callable[[], Coroutine[None, None, None]]) -> None:
        self._live = live
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Begin, unless it runs."""
        if self._task is not None and self._task.done():
            self._task.result()
        if self._task is None:
            self._task = asyncio.create_task(self._live())

    async def end(self) -> None:
        """Cut it off wherever it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()
            self._task = None

    async def last(self) -> None:
        """Wait for its end."""
        if self._task is not None:
            await self._task


def let_pass(database: Database) -> None:
    """Let a day go by for everything that waits for its time."""
    with database.transaction() as connection:
        for statement in _LET_PASS:
            connection.execute(statement)
