"""The listener: a process that notes what happens in opted-in chats, as it happens.

``python -m sensors.listener``, a child of ``face-archive up``. It fills the inbox and does
nothing else: reading and looking for faces is for runs, which the inbox sensor asks for.
Imports no Dagster, so that it starts at once and stays small. What one connection does is
``ear``; here is which there are, and when a broken one is made again.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog

from archive.accounts import AccountHeld
from archive.errors import Permanent, Transient
from archive.ids import AccountId
from resources.logs import configure_logs
from resources.settings import Settings
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox
from sensors.ear import listening

_log = structlog.get_logger(__name__)

_FIRST_BACK_OFF_SECONDS = 1.0
_LONGEST_BACK_OFF_SECONDS = 60.0
# A connection that lasted this long was healthy: its end starts the back-off anew.
_HEALTHY_SECONDS = 60.0
# How often to look for accounts that logged in since.
_NEW_ACCOUNTS_SECONDS = 30.0


async def listen(toolbox: Toolbox, account_id: AccountId, stop: asyncio.Event) -> None:
    """Note changes of one account's chats until told to stop, over as many connections as it takes.

    Raises:
        Permanent: The account is not logged in any more.
    """
    clock = asyncio.get_running_loop().time
    back_off = _FIRST_BACK_OFF_SECONDS
    while not stop.is_set():
        began = clock()
        try:
            async with listening(toolbox, account_id) as ear:
                _log.info("listening")
                await ear.run(stop)
        except Transient as error:
            if clock() - began >= _HEALTHY_SECONDS:
                back_off = _FIRST_BACK_OFF_SECONDS
            pause = max(back_off, error.retry_after_seconds or 0)
            _log.warning("connection_lost", reason=str(error), again_in_seconds=pause)
            await _pause(stop, pause)
            back_off = min(back_off * 2, _LONGEST_BACK_OFF_SECONDS)


async def listen_to_all(toolbox: Toolbox, stop: asyncio.Event) -> None:
    """Listen to every account that is logged in or logs in later, until told to stop.

    An account that is paused is left alone until it is resumed, one that is refused until it logs
    in again; the others go on.

    Raises:
        Permanent: Nobody is left to listen to, and nobody who may come back.
    """
    ears: dict[str, asyncio.Task[None]] = {}
    try:
        while not stop.is_set():
            # First: a login stores its session before its account counts as active, so one that
            # comes in between is heard, and never taken for nobody being left.
            nobody_rests = await asyncio.to_thread(_nobody_rests, toolbox)
            wanted = await asyncio.to_thread(_to_hear, toolbox)
            for each in [each for each in ears if _may_begin_anew(ears[each], each in wanted)]:
                del ears[each]
            for secret, account_id in wanted.items():
                if secret not in ears:
                    ears[secret] = asyncio.create_task(listen(toolbox, account_id, stop))
            living = [task for task in ears.values() if not task.done()]
            if not living and nobody_rests:
                raise Permanent("No account is logged in: run `face-archive login`.")
            watch = asyncio.create_task(_pause(stop, _NEW_ACCOUNTS_SECONDS))
            await asyncio.wait({watch, *living}, return_when=asyncio.FIRST_COMPLETED)
            watch.cancel()
            _report(living)
    finally:
        stop.set()
        await asyncio.gather(*ears.values(), return_exceptions=True)


def _nobody_rests(toolbox: Toolbox) -> bool:
    """Whether there is no account that may come back: a paused one, or one to log in again."""
    return all(row.is_active for row in toolbox.accounts.list())


def _to_hear(toolbox: Toolbox) -> dict[str, AccountId]:
    """Return the accounts that may be used by their session: one that logs in again has another."""
    found = {each: toolbox.sessions.find(each, Lane.LISTENER) for each in toolbox.accounts_to_ask()}
    return {stored.secret: account_id for account_id, stored in found.items() if stored}


def _may_begin_anew(ear: asyncio.Task[None], is_wanted: bool) -> bool:  # noqa: FBT001
    """Whether an ear ended for a reason that passes: its account rested, or still does."""
    return ear.done() and (not is_wanted or isinstance(ear.exception(), AccountHeld))


def _report(tasks: list[asyncio.Task[None]]) -> None:
    """Say whom nobody listens to any more; what is no refusal is a defect and ends everything."""
    for task in tasks:
        error = task.exception() if task.done() else None
        if isinstance(error, Permanent):
            _log.error("cannot_listen", reason=str(error))
        elif error is not None:
            raise error


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait that long, or until told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


async def _listen_until_signalled(toolbox: Toolbox) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await listen_to_all(toolbox, stop)


def main() -> None:
    """Listen to every account that is logged in, until SIGTERM or Ctrl-C."""
    settings = Settings.load()
    configure_logs(settings.log_level, settings.log_format)
    with Toolbox.open(settings) as toolbox:
        try:
            asyncio.run(_listen_until_signalled(toolbox))
        except Permanent as refusal:
            _log.error("cannot_listen", reason=str(refusal))
            sys.exit(4)


if __name__ == "__main__":
    main()
