"""Groups and channels themselves: finding, describing, making and joining them.

Here belongs what concerns a chat as a whole and who is in it; its messages do not.
"""

from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.peers import (
    member_of,
    require_right,
    resolve_channel,
    resolve_user,
)
from telegram_sandbox.records import Chat, ChatKind, Member
from telegram_sandbox.registry import Context, handles
from telegram_sandbox.views import admin_rights_of

TITLE_MAXIMUM: Final = 128
NO_PHOTO: Final = types.PhotoEmpty(0)


def _as_it_is_now(ctx: Context, chat: Chat) -> Any:
    update = types.UpdateChannel(chat.id)
    return types.Updates([update], [], [ctx.views.chat(chat)], ctx.world.now(), 0)


@handles(functions.contacts.ResolveUsernameRequest)
def resolve_username(ctx: Context, request: Any) -> Any:
    """Finds a user or a public chat by name."""
    name = request.username.removeprefix("@")
    if not name.replace("_", "").isalnum():
        raise RpcRefusal("USERNAME_INVALID")
    chat, user = ctx.world.chat_by_username(name), ctx.world.user_by_username(name)
    if chat is not None:
        return types.contacts.ResolvedPeer(ctx.views.peer(chat), [ctx.views.chat(chat)], [])
    if user is not None:
        return types.contacts.ResolvedPeer(types.PeerUser(user.id), [], [ctx.views.user(user)])
    raise RpcRefusal("USERNAME_NOT_OCCUPIED")


def _invited(ctx: Context, invite_hash: str) -> Chat:
    if not invite_hash:
        raise RpcRefusal("INVITE_HASH_EMPTY")
    for chat in ctx.world.chats.values():
        if chat.invite_hash == invite_hash:
            return chat
    raise RpcRefusal("INVITE_HASH_EXPIRED")


@handles(functions.messages.CheckChatInviteRequest)
def check_chat_invite(ctx: Context, request: Any) -> Any:
    """Shows what an invite link leads to; a member gets the chat itself."""
    chat = _invited(ctx, request.hash)
    if chat.member(ctx.account) is not None:
        return types.ChatInviteAlready(ctx.views.chat(chat))
    megagroup = chat.kind is ChatKind.SUPERGROUP
    return types.ChatInvite(
        title=chat.title,
        photo=NO_PHOTO,
        participants_count=len(chat.users),
        color=0,
        channel=chat.is_channel or None,
        broadcast=(chat.kind is ChatKind.CHANNEL) or None,
        megagroup=megagroup or None,
        public=chat.username is not None or None,
        about=chat.about or None,
    )


def _join(ctx: Context, chat: Chat) -> Any:
    if chat.member(ctx.account) is not None:
        raise RpcRefusal("USER_ALREADY_PARTICIPANT")
    chat.members[ctx.account.id] = Member(ctx.account, ctx.world.now())
    return _as_it_is_now(ctx, chat)


@handles(functions.messages.ImportChatInviteRequest)
def import_chat_invite(ctx: Context, request: Any) -> Any:
    """Joins by an invite link."""
    chat = _invited(ctx, request.hash)
    return types.messages.ChatInviteJoinResultOk(_join(ctx, chat))


@handles(functions.channels.JoinChannelRequest)
def join_channel(ctx: Context, request: Any) -> Any:
    """Joins a public channel."""
    chat = resolve_channel(ctx, request.channel)
    return types.messages.ChatInviteJoinResultOk(_join(ctx, chat))


@handles(functions.channels.LeaveChannelRequest)
def leave_channel(ctx: Context, request: Any) -> Any:
    """Leaves a channel."""
    chat = resolve_channel(ctx, request.channel, as_member=True)
    chat.members[ctx.account.id].gone = True
    return _as_it_is_now(ctx, chat)


@handles(functions.channels.GetChannelsRequest)
def get_channels(ctx: Context, request: Any) -> Any:
    """Returns channels."""
    found = [ctx.views.chat(resolve_channel(ctx, each)) for each in request.id]
    return types.messages.Chats(found)


@handles(functions.channels.GetFullChannelRequest)
def get_full_channel(ctx: Context, request: Any) -> Any:
    """Returns a channel with its description and counts."""
    chat = resolve_channel(ctx, request.channel)
    member = chat.member(ctx.account)
    link = None
    if member is not None and member.may("invite_users"):
        creator = next((m.user for m in chat.members.values() if m.creator), ctx.account)
        link = types.ChatInviteExported(
            f"https://t.me/+{chat.invite_hash}", creator.id, chat.date, permanent=True
        )
    old = chat.migrated_from
    full = types.ChannelFull(
        id=chat.id,
        about=chat.about,
        read_inbox_max_id=chat.last_message_id,
        read_outbox_max_id=chat.last_message_id,
        unread_count=0,
        chat_photo=NO_PHOTO,
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=chat.pts,
        participants_count=len(chat.users),
        exported_invite=link,
        admins_count=sum(1 for each in chat.members.values() if each.is_admin),
        slowmode_seconds=chat.slow_mode_seconds or None,
        migrated_from_chat_id=old.id if old else None,
        migrated_from_max_id=max(old.history(ctx.account).ids, default=None) if old else None,
        pinned_msg_id=max((m.id for m in chat.history(None) if m.pinned), default=None),
    )
    return types.messages.ChatFull(full, [ctx.views.chat(chat)], [])


@handles(functions.channels.GetParticipantRequest)
def get_participant(ctx: Context, request: Any) -> Any:
    """Returns what a user is in a channel."""
    chat = resolve_channel(ctx, request.channel)
    user = resolve_user(ctx, request.participant)
    member = chat.member(user)
    if member is None:
        raise RpcRefusal("USER_NOT_PARTICIPANT")
    return types.channels.ChannelParticipant(
        participant=_participant(ctx, member),
        chats=[ctx.views.chat(chat)],
        users=[ctx.views.user(user)],
    )


@handles(functions.channels.GetParticipantsRequest)
def get_participants(ctx: Context, request: Any) -> Any:
    """Returns a page of a channel's admins, or of everybody in it."""
    chat = resolve_channel(ctx, request.channel, as_member=True)
    admins_only = isinstance(request.filter, types.ChannelParticipantsAdmins)
    found = [
        each
        for each in chat.members.values()
        if not each.gone and (each.is_admin or not admins_only)
    ]
    page = found[request.offset : request.offset + request.limit]
    return types.channels.ChannelParticipants(
        count=len(found),
        participants=[_participant(ctx, member) for member in page],
        chats=[ctx.views.chat(chat)],
        users=[ctx.views.user(member.user) for member in page],
    )


def _participant(ctx: Context, member: Member) -> Any:
    user = member.user
    if member.creator:
        return types.ChannelParticipantCreator(user.id, admin_rights_of(member))
    if member.is_admin:
        return types.ChannelParticipantAdmin(
            user.id,
            promoted_by=user.id,
            date=member.date,
            admin_rights=admin_rights_of(member),
            is_self=True if user is ctx.account else None,
            inviter_id=user.id if user is ctx.account else None,
        )
    if user is ctx.account:
        return types.ChannelParticipantSelf(user.id, user.id, member.date)
    return types.ChannelParticipant(user.id, member.date)


@handles(functions.channels.CreateChannelRequest)
def create_channel(ctx: Context, request: Any) -> Any:
    """Makes a supergroup (with topics if asked for) or a broadcast channel."""
    if not request.title.strip() or len(request.title) > TITLE_MAXIMUM:
        raise RpcRefusal("CHAT_TITLE_EMPTY")
    megagroup = bool(request.megagroup or request.forum)
    kind = ChatKind.SUPERGROUP if megagroup else ChatKind.CHANNEL
    chat = ctx.world.add_channel(kind, request.title, ctx.account, request.about)
    if request.forum:
        ctx.world.make_forum(chat)
    return ctx.views.updates(chat.events, ctx.world.now(), types.UpdateChannel(chat.id))


@handles(functions.channels.ToggleForumRequest)
def toggle_forum(ctx: Context, request: Any) -> Any:
    """Gives a supergroup topics, or takes them away."""
    chat = resolve_channel(ctx, request.channel, as_member=True)
    if chat.kind is not ChatKind.SUPERGROUP:
        raise RpcRefusal("CHANNEL_INVALID")
    if not member_of(ctx, chat).creator:
        raise RpcRefusal("CHAT_ADMIN_REQUIRED")
    if request.enabled == chat.forum:
        raise RpcRefusal("CHAT_NOT_MODIFIED")
    if request.enabled:
        ctx.world.make_forum(chat)
    chat.forum = request.enabled
    ctx.world.chat_changed(chat)
    return _as_it_is_now(ctx, chat)


@handles(functions.messages.ToggleNoForwardsRequest)
def toggle_no_forwards(ctx: Context, request: Any) -> Any:
    """Protects a channel's content, or no longer."""
    chat = resolve_channel(ctx, request.peer, as_member=True)
    require_right(ctx, chat, "change_info")
    chat.noforwards = request.enabled
    ctx.world.chat_changed(chat)
    return _as_it_is_now(ctx, chat)


@handles(functions.channels.ToggleSlowModeRequest)
def toggle_slow_mode(ctx: Context, request: Any) -> Any:
    """Lets ordinary members write only every so many seconds; 0 ends that."""
    chat = resolve_channel(ctx, request.channel, as_member=True)
    require_right(ctx, chat, "ban_users")
    chat.slow_mode_seconds = request.seconds
    ctx.world.chat_changed(chat)
    return _as_it_is_now(ctx, chat)
