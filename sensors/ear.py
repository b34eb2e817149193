"""One account's connection that listens: what is heard goes into the inbox as it comes.

On connecting, what Telegram owes is fetched first; then the newest message of every chat is
compared, which finds what no update told. Which connections there are, and when a broken one is
made again, is the listener's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog

from archive.errors import Transient
from archive.ids import AccountId, ChatNo
from archive.listening import Heard
from archive.reconciling import cover
from archive.records import Chat
from resources.telegram.client import TelegramAccount
from resources.telegram.errors import TelegramRefused
from resources.telegram.feed import TelethonFeed, set_within
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox

_log = structlog.get_logger(__name__)

_HEARTBEAT_SECONDS = 15.0
"""How often the listener says that it is alive, and looks for chats that were allowed since."""

_CATCH_UP_SECONDS = 60.0
"""How long to wait for what Telegram owes before chats are compared all the same."""

_COMPARE_AGAIN_SECONDS = 900.0
"""When a comparison that Telegram refused or did not answer is tried again."""


class Ear:
    """What listens on one connection.

    Args:
        toolbox: The stores.
        account: An open connection of the listener's lane.
        feed: Its updates.
    """

    def __init__(self, toolbox: Toolbox, account: TelegramAccount, feed: TelethonFeed) -> None:
        self._toolbox = toolbox
        self._account = account
        self._account_id = account.account.account_id
        self._feed = feed
        self._retry_at: dict[ChatNo, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until told to stop.

        Raises:
            Transient: The connection or the database is gone; another connection may help.
            Permanent: The account is not logged in any more, or it was paused.
        """
        await _first_of(self._feed.run(self._keep), self._live(), stop.wait())

    async def catch_up(self) -> None:
        """Store what Telegram owes, compare all chats, and be done.

        Raises:
            Transient: Telegram or the database did not answer.
            Permanent: The account is not logged in any more.
        """

        async def all_of_it() -> None:
            await self._feed.caught_up()
            await self._compare(again=True)
            await self._feed.caught_up()
            await self._learn_who_has_a_say()

        await _first_of(self._feed.run(self._keep), all_of_it())

    async def _keep(self, heard: Heard) -> None:
        kept = await asyncio.to_thread(self._toolbox.inbox.keep, self._account_id, heard)
        if heard.remarks:
            await self._learn_who_has_a_say()
        if kept or heard.lost_in:
            _log.info("changes_noted", changes=kept, chats_with_gaps=len(heard.lost_in))

    async def _learn_who_has_a_say(self) -> None:
        """Ask for the admins of hubs in which somebody spoke of whom that is not known."""
        remarks = self._toolbox.remarks
        for hub in await asyncio.to_thread(remarks.unjudged, self._account_id):
            try:
                admins = await self._account.hub.admins(hub.chat)
            except (Transient, TelegramRefused) as reason:
                # What was said waits for the next heartbeat.
                _log.warning("admins_unknown", reason=str(reason))
            else:
                await asyncio.to_thread(remarks.save_admins, hub.hub_no, admins)

    async def _live(self) -> None:
        again = True
        while True:
            if again:
                # What is owed comes with its place; a comparison would only tell of it twice.
                await self._wait_for_what_is_owed()
            await self._compare(again=again)
            await self._learn_who_has_a_say()
            await asyncio.to_thread(self._toolbox.updates.beat, self._account_id)
            await asyncio.to_thread(self._toolbox.accounts.require_active, self._account_id)
            again = await set_within(self._feed.reconnected, _HEARTBEAT_SECONDS)
            if again:
                self._feed.reconnected.clear()

    async def _wait_for_what_is_owed(self) -> None:
        try:
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                await self._feed.caught_up()
        except (TimeoutError, Transient) as reason:
            # Hearing goes on meanwhile, and so does whoever asks for what is owed.
            _log.warning("updates_still_owed", reason=str(reason) or "it takes long")

    async def _compare(self, *, again: bool) -> None:
        """Begin to hear chats that were allowed; compare how far they have come.

        Args:
            again: Compare those that are heard already, too.
        """
        standing = await asyncio.to_thread(self._toolbox.updates.standing, self._account_id)
        heard = [each.chat for each in standing.heard]
        self._feed.hear_only(heard)
        unheard = list(standing.unheard) if again else self._due(standing.unheard)
        if not unheard and not again:
            return
        try:
            await self._begin(heard if again else [], unheard)
        except Transient as error:
            # The connection still hears; what is asked for besides can wait.
            _log.warning("comparing_failed", reason=str(error))
        await self._feed.flush()

    async def _begin(self, heard: list[Chat], unheard: list[Chat]) -> None:
        now = asyncio.get_running_loop().time()
        self._retry_at |= {chat.chat_no: now + _COMPARE_AGAIN_SECONDS for chat in unheard}
        tops = await self._account.tops.tops([*heard, *unheard])
        known = {chat.chat_no for chat in heard}
        new = [top for top in tops if top.chat.chat_no not in known]
        begun = await asyncio.to_thread(self._toolbox.updates.begin, self._account_id, new)
        known |= {chat.chat_no for chat in begun}
        await self._feed.hear([top for top in tops if top.chat.chat_no in known])
        box = self._toolbox
        sources = [top for top in tops if not top.chat.is_hub]
        behind, planned = await cover(sources, self._account.history, box.inbox, box.history)
        _log.info("compared", chats=len(tops), begun=len(begun), behind=behind, planned=planned)

    def _due(self, chats: Iterable[Chat]) -> list[Chat]:
        now = asyncio.get_running_loop().time()
        return [chat for chat in chats if self._retry_at.get(chat.chat_no, now) <= now]


@asynccontextmanager
async def listening(toolbox: Toolbox, account_id: AccountId) -> AsyncIterator[Ear]:
    """Open the listener's connection of an account.

    Raises:
        Transient: Somebody else listens, or Telegram or the database does not answer.
        Permanent: The account is not logged in.
    """
    async with toolbox.telegram(Lane.LISTENER, account_id) as account:
        assert account.feed is not None  # this lane has one
        yield Ear(toolbox, account, account.feed)


async def _first_of(*coroutines: object) -> None:
    """Run all until one ends, then end the others; an error of any is raised."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
