"""Asking a person while a connection stays alive: questions go to a thread of their own.

Only how a question is put; what is asked belongs to the commands. Questions go to stderr, so that
the output stays data.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import typer


def question(text: str, *, hidden: bool = False) -> Callable[[], Awaitable[str]]:
    """Make a question that can be asked again.

    Args:
        text: Without the colon.
        hidden: What is typed is not shown.
    """

    async def ask() -> str:
        return await _off_the_loop(lambda: str(typer.prompt(text, hide_input=hidden, err=True)))

    return ask


async def _off_the_loop(work: Callable[[], str]) -> str:
    """Run blocking work in a daemon thread.

    Not in the loop's executor: that is waited for at the end, so Ctrl-C at a prompt would hang
    until somebody presses Enter.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def run() -> None:
        try:
            text = work()
        except BaseException as exc:
            loop.call_soon_threadsafe(_settle, answer, None, exc)
        else:
            loop.call_soon_threadsafe(_settle, answer, text, None)

    threading.Thread(target=run, name="question", daemon=True).start()
    return await answer


def _settle(answer: asyncio.Future[str], text: str | None, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(text or "")
