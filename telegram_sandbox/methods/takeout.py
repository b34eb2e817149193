"""Takeout: an export session in which limits are lower.

Here belong its beginning and end, and what is refused inside of one. `FLOOD_…` and
`TAKEOUT_INIT_DELAY_n` are faults: `faults.error("account.initTakeoutSession", …)`.
Source: https://core.telegram.org/api/takeout
"""

from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.records import Chat
from telegram_sandbox.registry import Context, handles

LARGEST_ID: Final = 2**31 - 1


def refuse_protected(ctx: Context, chat: Chat) -> None:
    """Refuses to read a protected chat inside a takeout; a plain session may.

    Raises:
        RpcRefusal: CHAT_FORWARDS_RESTRICTED.
    """
    if ctx.takeout_id is not None and chat.noforwards:
        raise RpcRefusal("CHAT_FORWARDS_RESTRICTED")


def refuse_inside(ctx: Context) -> None:
    """Refuses what cannot be had inside a takeout at all.

    Raises:
        RpcRefusal: METHOD_INVALID.
    """
    if ctx.takeout_id is not None:
        raise RpcRefusal("METHOD_INVALID")


def _current(ctx: Context) -> int:
    if ctx.takeout_id is None:
        raise RpcRefusal("TAKEOUT_REQUIRED")
    return ctx.takeout_id


@handles(functions.account.InitTakeoutSessionRequest)
def init_takeout_session(ctx: Context, request: Any) -> Any:
    """Begins a takeout; an earlier one of the account is invalid from now on."""
    return types.account.Takeout(ctx.sandbox.takeouts.begin(ctx.session.key))


@handles(functions.account.FinishTakeoutSessionRequest)
def finish_takeout_session(ctx: Context, request: Any) -> bool:
    """Ends the takeout that wraps this request."""
    ctx.sandbox.takeouts.end(_current(ctx))
    return True


@handles(functions.messages.GetSplitRangesRequest)
def get_split_ranges(ctx: Context, request: Any) -> list[Any]:
    """Returns the ranges of ids to search private chats and basic groups by: a single one."""
    _current(ctx)
    return [types.MessageRange(1, LARGEST_ID)]
