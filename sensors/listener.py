"""The listener: a process that notes what happens in opted-in chats, as it happens.

``python -m sensors.listener``, a child of ``face-archive up``. It fills the inbox and does
nothing else: reading and looking for faces is for runs, which the inbox sensor asks for.
Imports no Dagster, so that it starts at once and stays small.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator

import structlog

from archive.errors import Permanent
from archive.ids import AccountId
from archive.listening import Change, receive
from resources.logs import configure_logs
from resources.settings import Settings
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox

_log = structlog.get_logger(__name__)


async def listen(toolbox: Toolbox, account_id: AccountId, stop: asyncio.Event) -> None:
    """Note changes of one account's chats until told to stop.

    Raises:
        Transient: The connection or the database is gone; a restart may help.
        Permanent: The account is not logged in any more.
    """
    async with toolbox.telegram(Lane.LISTENER, account_id) as account:

        async def note(change: Change) -> None:
            if await asyncio.to_thread(receive, change, account_id, toolbox.inbox):
                _log.info("change_noted", change=change.change)

        feed = asyncio.create_task(account.feed.run(note))
        stopped = asyncio.create_task(stop.wait())
        _log.info("listening")
        await asyncio.wait({feed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not feed.done():
            feed.cancel()
        await asyncio.gather(feed, return_exceptions=stop.is_set())


async def _listen_to_all(toolbox: Toolbox) -> None:
    accounts = toolbox.sessions.accounts()
    if not accounts:
        raise Permanent("No account is logged in: run `face-archive login`.")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        for account_id in accounts:
            group.create_task(listen(toolbox, account_id, stop))


def main() -> None:
    """Listen to every account that is logged in, until SIGTERM or Ctrl-C."""
    settings = Settings.load()
    configure_logs(settings.log_level, settings.log_format)
    with Toolbox.open(settings) as toolbox:
        refusals: list[BaseException] = []
        try:
            asyncio.run(_listen_to_all(toolbox))
        # The accounts' tasks end in a group, whatever ended them.
        except* Permanent as group:
            refusals += _leaves(group)
    for refusal in refusals:
        _log.error("cannot_listen", reason=str(refusal))
    if refusals:
        sys.exit(4)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
