"""The list of an account's chats.

Here belong the list and its pages. A chat without messages is not in it.
"""

from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.methods.history import given_date
from telegram_sandbox.methods.updates import state_of
from telegram_sandbox.peers import resolve_chat
from telegram_sandbox.records import Chat, Message
from telegram_sandbox.registry import Context, handles

PAGE_MAXIMUM: Final = 100
ARCHIVE_FOLDER: Final = 1


def _newest(ctx: Context, chat: Chat) -> Message | None:
    history = chat.history(ctx.account)
    return history.at(-1) if len(history) else None


def dialog(ctx: Context, chat: Chat) -> Any:
    """Returns a chat as an entry of the list."""
    newest = _newest(ctx, chat)
    top = newest.id if newest else 0
    return types.Dialog(
        peer=ctx.views.peer(chat),
        top_message=top,
        read_inbox_max_id=top,
        read_outbox_max_id=top,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=types.PeerNotifySettings(),
        pts=chat.pts if chat.is_channel else None,
    )


def _place(newest: Message) -> tuple[int, int]:
    """Returns what the list is sorted by: whole seconds, as clients know no smaller ones."""
    return int(newest.date.timestamp()), newest.id


def _is_peer(ctx: Context, chat: Chat, peer: Any) -> bool:
    return not isinstance(peer, types.InputPeerEmpty) and resolve_chat(ctx, peer) is chat


@handles(functions.messages.GetDialogsRequest)
def get_dialogs(ctx: Context, request: Any) -> Any:
    """Returns a page of the list, newest message first."""
    listed = [
        (newest, chat)
        for chat in ctx.world.chats_of(ctx.account)
        if (newest := _newest(ctx, chat)) is not None
    ]
    if request.folder_id == ARCHIVE_FOLDER:
        listed = []
    listed.sort(key=lambda each: _place(each[0]), reverse=True)
    rest = listed
    if given_date(request.offset_date):
        offset = (int(request.offset_date.timestamp()), request.offset_id or 2**31)
        rest = [each for each in listed if _place(each[0]) < offset]
        # Several chats may share date and id: the peer says after which of them to go on.
        for place, (newest, chat) in enumerate(listed):
            if _place(newest) == offset and _is_peer(ctx, chat, request.offset_peer):
                rest = listed[place + 1 :]
    page = rest[: min(request.limit, PAGE_MAXIMUM)]
    content = ctx.views.messages(newest for newest, _ in page)
    shown = [dialog(ctx, chat) for _, chat in page]
    if len(page) == len(listed):
        return types.messages.Dialogs(dialogs=shown, **content)
    return types.messages.DialogsSlice(count=len(listed), dialogs=shown, **content)


@handles(functions.messages.GetPinnedDialogsRequest)
def get_pinned_dialogs(ctx: Context, request: Any) -> Any:
    """Returns none: nothing is pinned."""
    return types.messages.PeerDialogs([], [], [], [], state_of(ctx))


@handles(functions.messages.GetPeerDialogsRequest)
def get_peer_dialogs(ctx: Context, request: Any) -> Any:
    """Returns the entries of single chats."""
    chats = [
        resolve_chat(ctx, each.peer)
        for each in request.peers
        if isinstance(each, types.InputDialogPeer)
    ]
    tops = [newest for chat in chats if (newest := _newest(ctx, chat))]
    content = ctx.views.messages(tops)
    return types.messages.PeerDialogs(
        dialogs=[dialog(ctx, chat) for chat in chats], state=state_of(ctx), **content
    )
