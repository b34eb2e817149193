"""The list of an account's chats.

Here belong the list, its pages and its folders. A chat without messages is not in it.
"""

from typing import Any, Final

from telethon import utils
from telethon.tl import functions, types

from telegram_sandbox.dialog_lists import DialogLists
from telegram_sandbox.methods.history import given_date
from telegram_sandbox.methods.updates import state_of
from telegram_sandbox.peers import resolve_chat
from telegram_sandbox.records import Chat, ChatKind, Message
from telegram_sandbox.registry import Context, handles

PAGE_MAXIMUM: Final = 100


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
        pinned=chat in _lists(ctx).pinned or None,
        folder_id=_lists(ctx).place_of(chat) or None,
    )


def _lists(ctx: Context) -> DialogLists:
    return ctx.world.dialog_lists[ctx.account.id]


def _is_shown(ctx: Context, request: Any, chat: Chat) -> bool:
    """Returns whether a chat is in what was asked for; without a folder, all are."""
    lists = _lists(ctx)
    if request.folder_id is not None and lists.place_of(chat) != request.folder_id:
        return False
    return not (request.exclude_pinned and chat in lists.pinned)


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
        if (newest := _newest(ctx, chat)) is not None and _is_shown(ctx, request, chat)
    ]
    pinned = _lists(ctx).pinned
    # What is pinned stands first whatever its date.
    listed.sort(key=lambda each: (each[1] in pinned, *_place(each[0])), reverse=True)
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
    """Returns what is pinned in a list."""
    lists = _lists(ctx)
    return _peer_dialogs(ctx, [c for c in lists.pinned if lists.place_of(c) == request.folder_id])


@handles(functions.messages.GetDialogFiltersRequest)
def get_dialog_filters(ctx: Context, request: Any) -> Any:
    """Returns the folders, after the one that holds all chats."""
    folders = [
        types.DialogFilter(
            id=number,
            title=types.TextWithEntities(folder.title, []),
            pinned_peers=[],
            include_peers=[utils.get_input_peer(_entity(ctx, chat)) for chat in folder.chats],
            exclude_peers=[],
            groups=folder.groups or None,
            broadcasts=folder.broadcasts or None,
        )
        for number, folder in enumerate(_lists(ctx).folders, 2)
    ]
    return types.messages.DialogFilters([types.DialogFilterDefault(), *folders])


def _entity(ctx: Context, chat: Chat) -> Any:
    if chat.kind is ChatKind.PRIVATE:
        return ctx.views.user(chat.other(ctx.account))
    return ctx.views.chat(chat)


@handles(functions.messages.GetPeerDialogsRequest)
def get_peer_dialogs(ctx: Context, request: Any) -> Any:
    """Returns the entries of single chats."""
    chats = [
        resolve_chat(ctx, each.peer)
        for each in request.peers
        if isinstance(each, types.InputDialogPeer)
    ]
    return _peer_dialogs(ctx, chats)


def _peer_dialogs(ctx: Context, chats: list[Chat]) -> Any:
    tops = [newest for chat in chats if (newest := _newest(ctx, chat))]
    content = ctx.views.messages(tops)
    return types.messages.PeerDialogs(
        dialogs=[dialog(ctx, chat) for chat in chats], state=state_of(ctx), **content
    )
