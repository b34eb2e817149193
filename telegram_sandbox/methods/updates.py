"""Catching up: the update state and the differences since an earlier one.

Here belong the two sequences: the account's own, and each channel's.
Source: https://core.telegram.org/api/updates
"""

from collections.abc import Sequence
from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.peers import resolve_channel
from telegram_sandbox.records import Event
from telegram_sandbox.registry import Context, handles

SEQ: Final = 1


def state_of(ctx: Context) -> Any:
    """Returns where the account's sequence stands."""
    return types.updates.State(
        pts=ctx.account.pts, qts=0, date=ctx.world.now(), seq=SEQ, unread_count=0
    )


def _missed(events: Sequence[Event], pts: int) -> list[Event]:
    start = len(events)
    while start and events[start - 1].pts > pts:
        start -= 1
    return list(events[start:])


def _content(ctx: Context, events: Sequence[Event]) -> dict[str, Any]:
    new = [e.message for e in events if e.kind == "new" and e.message and not e.message.deleted]
    content = ctx.views.messages(new)
    others = [
        each
        for each in events
        if each.kind != "new" and not (each.message and each.message.deleted)
    ]
    touched = ctx.views.messages(each.message for each in others if each.message)
    return {
        "new_messages": content["messages"],
        "other_updates": [ctx.views.update(each) for each in others],
        "chats": content["chats"] + touched["chats"],
        "users": content["users"] + touched["users"],
    }


@handles(functions.updates.GetStateRequest)
def get_state(ctx: Context, request: Any) -> Any:
    """Returns the state of the account's sequence."""
    return state_of(ctx)


@handles(functions.updates.GetDifferenceRequest)
def get_difference(ctx: Context, request: Any) -> Any:
    """Returns what the account missed; names the channels in which something happened."""
    account = ctx.account
    missed = _missed(account.events, request.pts)
    limit = min(ctx.world.difference_limit, request.pts_total_limit or len(missed))
    if ctx.verdict.too_long or len(missed) > limit:
        return types.updates.DifferenceTooLong(account.pts)
    part = missed[: min(ctx.world.difference_slice, request.pts_limit or len(missed))]
    content = _content(ctx, part)
    if len(part) < len(missed):
        state = types.updates.State(part[-1].pts, 0, request.date, SEQ, 0)
        return types.updates.DifferenceSlice(
            new_encrypted_messages=[], intermediate_state=state, **content
        )
    for chat in ctx.world.chats_of(account):
        if chat.is_channel and chat.events and chat.events[-1].date >= request.date:
            content["other_updates"].append(types.UpdateChannelTooLong(chat.id, chat.pts))
            content["chats"].append(ctx.views.chat(chat))
    if not content["other_updates"] and not content["new_messages"]:
        return types.updates.DifferenceEmpty(ctx.world.now(), SEQ)
    return types.updates.Difference(new_encrypted_messages=[], state=state_of(ctx), **content)


@handles(functions.updates.GetChannelDifferenceRequest)
def get_channel_difference(ctx: Context, request: Any) -> Any:
    """Returns what the account missed in one channel."""
    chat = resolve_channel(ctx, request.channel)
    if request.pts <= 0:
        raise RpcRefusal("PERSISTENT_TIMESTAMP_EMPTY")
    missed = _missed(chat.events, request.pts)
    timeout = ctx.world.difference_timeout_seconds
    if not missed and not ctx.verdict.too_long:
        return types.updates.ChannelDifferenceEmpty(pts=chat.pts, final=True, timeout=timeout)
    if ctx.verdict.too_long or len(missed) > ctx.world.difference_limit:
        from telegram_sandbox.methods.dialogs import dialog

        history = chat.history(None)
        newest = [history.at(-1)] if len(history) else []
        return types.updates.ChannelDifferenceTooLong(
            dialog=dialog(ctx, chat), final=True, timeout=timeout, **ctx.views.messages(newest)
        )
    part = missed[: max(1, min(request.limit, ctx.world.difference_slice))]
    return types.updates.ChannelDifference(
        pts=part[-1].pts,
        final=len(part) == len(missed) or None,
        timeout=timeout,
        **_content(ctx, part),
    )
