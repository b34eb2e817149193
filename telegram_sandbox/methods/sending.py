"""Sending, forwarding, editing, deleting and pinning messages.

Here belongs the rule of random ids: a repeated id gives the first call's messages, for the same
account and peer, from any session, for ever. The right to post is `places`'.
"""

from collections.abc import Callable
from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.handles import forward_of
from telegram_sandbox.methods.outgoing_media import incoming
from telegram_sandbox.methods.places import Place, may_send, place_of
from telegram_sandbox.peers import member_of, require_right, resolve_channel, resolve_chat
from telegram_sandbox.records import Chat, ChatKind, Event, Message
from telegram_sandbox.registry import Context, handles

CAPTION_MAXIMUM: Final = 1024
TEXT_MAXIMUM: Final = 4096
ALBUM_MAXIMUM: Final = 10
FORWARD_MAXIMUM: Final = 100


def peer_key(ctx: Context, chat: Chat) -> str:
    """Returns a name for the chat within which a random id must be unique."""
    return f"{chat.kind.value}:{chat.marked_id(ctx.account)}"


def once(ctx: Context, chat: Chat, random_ids: list[int], make: Callable[[], list[Message]]) -> Any:
    """Answers a sending request: with new messages, or with those of the first such call."""
    if not random_ids or 0 in random_ids:
        raise RpcRefusal("RANDOM_ID_EMPTY")
    if len(set(random_ids)) != len(random_ids):
        raise RpcRefusal("RANDOM_ID_INVALID")
    sent = ctx.world.sent
    keys = [(ctx.account.id, peer_key(ctx, chat), each) for each in random_ids]
    if keys[0] not in sent:
        for key, message in zip(keys, make(), strict=True):
            sent[key] = message
    messages = [sent[key] for key in keys if key in sent]
    ids = [
        types.UpdateMessageID(message.id, random_id)
        for message, random_id in zip(messages, random_ids, strict=False)
    ]
    events = [Event("new", chat, m.pts, 1, m.date, m) for m in messages]
    return ctx.views.updates(events, ctx.world.now(), *ids)


def _caption(text: str) -> str:
    if len(text) > CAPTION_MAXIMUM:
        raise RpcRefusal("MEDIA_CAPTION_TOO_LONG")
    return text


def _post(ctx: Context, chat: Chat, place: Place, **content: Any) -> Message:
    copies = ctx.world.add_message(
        chat,
        ctx.account,
        ctx.world.now(),
        topic_id=place.topic_id,
        reply_to=place.reply_to,
        **content,
    )
    chat.last_posts[ctx.account.id] = copies[0].date
    return copies[0]


@handles(functions.messages.SendMessageRequest)
def send_message(ctx: Context, request: Any) -> Any:
    """Sends a text."""
    chat = resolve_chat(ctx, request.peer)

    def make() -> list[Message]:
        may_send(ctx, chat, media=False)
        if not request.message.strip():
            raise RpcRefusal("MESSAGE_EMPTY")
        if len(request.message) > TEXT_MAXIMUM:
            raise RpcRefusal("MESSAGE_TOO_LONG")
        place = place_of(ctx, chat, request.reply_to)
        entities = tuple(request.entities or ())
        return [_post(ctx, chat, place, text=request.message, entities=entities)]

    return once(ctx, chat, [request.random_id], make)


@handles(functions.messages.SendMediaRequest)
def send_media(ctx: Context, request: Any) -> Any:
    """Sends a photo or document, by reference or from an upload."""
    chat = resolve_chat(ctx, request.peer)

    def make() -> list[Message]:
        may_send(ctx, chat, media=True)
        text = _caption(request.message)
        place = place_of(ctx, chat, request.reply_to)
        medium = incoming(ctx, chat, request.media)
        entities = tuple(request.entities or ())
        return [_post(ctx, chat, place, text=text, media=medium, entities=entities)]

    return once(ctx, chat, [request.random_id], make)


@handles(functions.messages.SendMultiMediaRequest)
def send_multi_media(ctx: Context, request: Any) -> Any:
    """Sends an album."""
    chat = resolve_chat(ctx, request.peer)
    items = request.multi_media

    def make() -> list[Message]:
        may_send(ctx, chat, media=True)
        if len(items) > ALBUM_MAXIMUM:
            raise RpcRefusal("MULTI_MEDIA_TOO_LONG")
        place = place_of(ctx, chat, request.reply_to)
        ready = [(_caption(each.message), incoming(ctx, chat, each.media)) for each in items]
        group = ctx.world.random.randrange(2**60)
        return [
            _post(
                ctx,
                chat,
                place,
                text=text,
                media=medium,
                grouped_id=group,
                entities=tuple(each.entities or ()),
            )
            for (text, medium), each in zip(ready, items, strict=True)
        ]

    return once(ctx, chat, [each.random_id for each in items], make)


@handles(functions.messages.UploadMediaRequest)
def upload_media(ctx: Context, request: Any) -> Any:
    """Makes a file of an upload without sending it."""
    chat = resolve_chat(ctx, request.peer)
    medium = incoming(ctx, chat, request.media)
    return ctx.views.loose_media(medium, chat)


@handles(functions.messages.ForwardMessagesRequest)
def forward_messages(ctx: Context, request: Any) -> Any:
    """Forwards messages; they keep their files."""
    source = resolve_chat(ctx, request.from_peer)
    target = resolve_chat(ctx, request.to_peer)
    if not 0 < len(request.id) <= FORWARD_MAXIMUM:
        raise RpcRefusal("MESSAGE_IDS_EMPTY" if not request.id else "LIMIT_INVALID")
    if len(request.id) != len(request.random_id):
        raise RpcRefusal("RANDOM_ID_INVALID")

    def make() -> list[Message]:
        may_send(ctx, target, media=True)
        place = place_of(ctx, target, request.reply_to, request.top_msg_id)
        originals = [source.history(ctx.account).get(each) for each in request.id]
        found = [each for each in originals if each is not None and each.action is None]
        if len(found) != len(request.id):
            raise RpcRefusal("MESSAGE_ID_INVALID")
        if source.noforwards or any(each.noforwards for each in found):
            raise RpcRefusal("CHAT_FORWARDS_RESTRICTED")
        groups: dict[int, int] = {}
        return [_forward(ctx, target, place, request, each, groups) for each in found]

    return once(ctx, target, list(request.random_id), make)


def _forward(
    ctx: Context,
    target: Chat,
    place: Place,
    request: Any,
    original: Message,
    groups: dict[int, int],
) -> Message:
    group = original.grouped_id
    if group is not None:
        group = groups.setdefault(group, ctx.world.random.randrange(2**60))
    drop_caption = request.drop_media_captions and original.media is not None
    return _post(
        ctx,
        target,
        place,
        text="" if drop_caption else original.text,
        media=original.media,
        entities=() if drop_caption else original.entities,
        forward=None if request.drop_author else forward_of(original),
        grouped_id=group,
    )


@handles(functions.messages.EditMessageRequest)
def edit_message(ctx: Context, request: Any) -> Any:
    """Changes the text or medium of one's own message."""
    chat = resolve_chat(ctx, request.peer)
    message = chat.history(ctx.account).get(request.id)
    if message is None or message.action is not None:
        raise RpcRefusal("MESSAGE_ID_INVALID")
    foreign_allowed = chat.kind is ChatKind.CHANNEL and member_of(ctx, chat).may("edit_messages")
    if message.sender is not ctx.account and not foreign_allowed:
        raise RpcRefusal("MESSAGE_AUTHOR_REQUIRED")
    changes: dict[str, Any] = {}
    if request.message is not None:
        changes["text"] = _caption(request.message) if message.media else request.message
        changes["entities"] = tuple(request.entities or ())
    if request.media is not None:
        changes["media"] = incoming(ctx, chat, request.media)
    if all(getattr(message, name) == value for name, value in changes.items()):
        raise RpcRefusal("MESSAGE_NOT_MODIFIED")
    ctx.world.edit_message(message, edit_date=ctx.world.now(), **changes)
    sequence = chat.events if chat.is_channel else ctx.account.events
    edited = next(each for each in reversed(sequence) if each.message is message)
    return ctx.views.updates([edited], ctx.world.now())


@handles(functions.messages.DeleteMessagesRequest)
def delete_messages(ctx: Context, request: Any) -> Any:
    """Deletes messages of private chats and basic groups, for everybody if asked to."""
    before = ctx.account.pts
    for chat in ctx.world.chats_of(ctx.account):
        if not chat.is_channel:
            revoke = bool(request.revoke)
            ctx.world.delete_messages(chat, ctx.account, request.id, revoke=revoke)
    return types.messages.AffectedMessages(ctx.account.pts, ctx.account.pts - before)


@handles(functions.channels.DeleteMessagesRequest)
def delete_channel_messages(ctx: Context, request: Any) -> Any:
    """Deletes messages of a channel: one's own, or any with the right to."""
    chat = resolve_channel(ctx, request.channel, as_member=True)
    history = chat.history(None)
    found = [message for each in request.id if (message := history.get(each))]
    if not member_of(ctx, chat).may("delete_messages") and any(
        message.sender is not ctx.account for message in found
    ):
        raise RpcRefusal("MESSAGE_DELETE_FORBIDDEN")
    gone = ctx.world.delete_messages(chat, None, request.id)
    return types.messages.AffectedMessages(chat.pts, len(gone))


@handles(functions.messages.UpdatePinnedMessageRequest)
def update_pinned_message(ctx: Context, request: Any) -> Any:
    """Pins or unpins a message."""
    chat = resolve_chat(ctx, request.peer)
    require_right(ctx, chat, "pin_messages")
    message = chat.history(ctx.account).get(request.id)
    if message is None:
        raise RpcRefusal("MESSAGE_ID_INVALID")
    ctx.world.pin_message(message, pinned=not request.unpin)
    sequence = chat.events if chat.is_channel else ctx.account.events
    return ctx.views.updates([sequence[-1]], ctx.world.now())


@handles(functions.messages.SetTypingRequest)
def set_typing(ctx: Context, request: Any) -> bool:
    """Takes note that somebody types."""
    return True
