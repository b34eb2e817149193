"""Takeout: reading through an export session, whose flood limits are lower, and never needing it.

The owner is asked in the app whether the account may be exported; until then Telegram delays
it. Whatever cannot be read through the session, or now, is read by a plain request. Not here:
whether to try at all (a setting), and remembering the session (whoever opens the connection).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import structlog
from telethon.tl import functions

from archive.errors import Permanent, Transient
from archive.ids import ChatId
from archive.records import Chat, TakeoutNote
from resources.telegram.calling import Caller
from resources.telegram.errors import SessionLost, TelegramRefused

_log = structlog.get_logger(__name__)

# https://core.telegram.org/api/takeout
_OVER: Final = frozenset({"TAKEOUT_INVALID", "TAKEOUT_REQUIRED"})
_NOT_THIS_CHAT: Final = frozenset({"CHAT_FORWARDS_RESTRICTED", "CHANNEL_PRIVATE", "METHOD_INVALID"})

REFUSED_FOR: Final = timedelta(hours=6)
"""How long to do without where Telegram names no time."""


class TakeoutMemory(Protocol):
    """What is remembered of a session from run to run; synchronous, called off the loop."""

    def load(self) -> TakeoutNote:
        """Return what is known."""
        ...

    def save(self, note: TakeoutNote) -> None:
        """Remember it instead."""
        ...


class Takeout:
    """The export session of one connection.

    Args:
        call: The connection.
        memory: A session lasts for many runs: the owner is not asked again for each.
        clock: Says the time now, with its zone.
    """

    def __init__(
        self,
        call: Caller,
        memory: TakeoutMemory,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._call = call
        self._memory = memory
        self._clock = clock
        self._note: TakeoutNote | None = None
        self._beginning = asyncio.Lock()
        self._plain: set[ChatId] = set()

    @property
    def state(self) -> str:
        """Say for a person whether requests go through the session."""
        if self._note is None:
            return "not needed"
        return "on" if self._note.takeout_id is not None else f"off: {self._note.reason}"

    async def __call__(self, request: Any, chat: Chat) -> Any:
        """Send a request about a chat through the session, or plainly where it cannot be had.

        Raises:
            Transient: A wait longer than the limit, or an answer that was lost.
            Permanent: Telegram refuses a plain request as well.
        """
        if chat.noforwards or chat.chat_id in self._plain:
            return await self._call(request)
        takeout_id = await self._session()
        if takeout_id is None:
            return await self._call(request)
        try:
            return await self._call(functions.InvokeWithTakeoutRequest(takeout_id, request))
        except TelegramRefused as refused:
            if refused.code in _OVER:
                await self._end(takeout_id, refused.code)
            elif refused.code in _NOT_THIS_CHAT:
                self._plain.add(chat.chat_id)
            else:
                raise
        return await self._call(request)

    async def finish(self) -> None:
        """Tell Telegram that the export is complete, where one is under way."""
        note = await self._known()
        if note.takeout_id is None:
            return
        request = functions.account.FinishTakeoutSessionRequest(success=True)
        try:
            await self._call(functions.InvokeWithTakeoutRequest(note.takeout_id, request))
        except TelegramRefused as refused:
            if refused.code not in _OVER:
                raise
        self._note = TakeoutNote()
        await asyncio.to_thread(self._memory.save, self._note)

    async def _session(self) -> int | None:
        """Return the session, begun if there is none; one request begins it for all."""
        async with self._beginning:
            note = await self._known()
            may_begin = note.refused_until is None or note.refused_until <= self._clock()
            if note.takeout_id is None and may_begin:
                note = await self._begin()
                await asyncio.to_thread(self._memory.save, note)
            self._note = note
            return note.takeout_id

    async def _known(self) -> TakeoutNote:
        if self._note is None:
            return await asyncio.to_thread(self._memory.load)
        return self._note

    async def _begin(self) -> TakeoutNote:
        request = functions.account.InitTakeoutSessionRequest(
            contacts=False,
            message_users=True,
            message_chats=True,
            message_megagroups=True,
            message_channels=True,
        )
        try:
            takeout = await self._call.impatient()(request)
        except SessionLost:
            raise
        except Transient as delayed:
            if delayed.retry_after_seconds is None:
                raise
            wait = timedelta(seconds=delayed.retry_after_seconds)
            return self._refusal(
                "Telegram waits for your consent: confirm the data export in the app, in the "
                "chat named Telegram; until then everything is read without it",
                wait,
            )
        except Permanent as refused:
            return self._refusal(str(refused), REFUSED_FOR)
        return TakeoutNote(takeout_id=takeout.id)

    async def _end(self, takeout_id: int, code: str) -> None:
        # Of several requests in flight the first one ends it.
        async with self._beginning:
            if self._note is not None and self._note.takeout_id == takeout_id:
                self._note = self._refusal(f"Telegram ended the export ({code})", REFUSED_FOR)
                await asyncio.to_thread(self._memory.save, self._note)

    def _refusal(self, reason: str, wait: timedelta) -> TakeoutNote:
        _log.warning("takeout_refused", reason=reason, hours=round(wait.total_seconds() / 3600, 1))
        return TakeoutNote(None, self._clock() + wait, reason)
