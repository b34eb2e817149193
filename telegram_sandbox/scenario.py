"""The story before the server starts: who exists, who is in which chat, who wrote what.

Here belongs making users and chats. What happens inside a chat is the handle's business.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from telegram_sandbox.dialog_lists import Folder
from telegram_sandbox.handles import ChatHandle
from telegram_sandbox.records import ADMIN_RIGHTS, Chat, ChatKind, Member, User
from telegram_sandbox.world import World

START = datetime(2024, 1, 1, tzinfo=UTC)
DEFAULT_LOGIN_CODE = "12345"
PLACEHOLDER_COUNT = 2**31 - 1
"""The count that Telegram has been seen to report for long private chats."""


class Scenario:
    """Builds a world; the same seed and calls give the same ids and hashes."""

    def __init__(
        self, seed: int = 1, *, start: datetime = START, login_code: str = DEFAULT_LOGIN_CODE
    ) -> None:
        """Starts with nobody.

        Args:
            seed: decides all ids and hashes.
            start: the date before the first message; each message is a minute later.
            login_code: the code that every account logs in with.
        """
        self.world = World(seed, start)
        self.login_code = login_code

    def user(
        self,
        first_name: str | None = None,
        last_name: str | None = None,
        *,
        phone: str | None = None,
        username: str | None = None,
        bot: bool = False,
        deleted: bool = False,
        min_for_others: bool = False,
        password: str | None = None,
    ) -> User:
        """Adds a user.

        Args:
            first_name: shown name; None for a deleted account.
            last_name: shown name.
            phone: makes it an account that can log in.
            username: public name without `@`.
            bot: whether it is a bot.
            deleted: whether the account was deleted: no name is shown.
            min_for_others: others get it as `min`, with an access hash that is no good.
            password: two-factor password of an account.
        """
        user_id = self.world.new_id(5_000_000_000, 8_000_000_000, self.world.users)
        user = User(
            user_id, first_name, last_name, username, phone, bot, deleted, min_for_others, password
        )
        self.world.users[user_id] = user
        return user

    def deleted_account(self) -> User:
        """Adds a user whose account is gone: no name at all."""
        return self.user(deleted=True)

    def supergroup(
        self,
        title: str,
        *,
        owner: User,
        members: Iterable[User] = (),
        admins: dict[User, Iterable[str]] | None = None,
        username: str | None = None,
        forum: bool = False,
        noforwards: bool = False,
        about: str = "",
        slow_mode_seconds: int = 0,
    ) -> ChatHandle:
        """Adds a supergroup; its first message (id 1) says that it was created.

        Args:
            title: shown name.
            owner: the creator, who holds every right.
            members: ordinary members.
            admins: further members with the admin rights each holds, such as `manage_topics`.
            username: makes the group public.
            forum: whether it has topics.
            noforwards: whether its content is protected.
            about: description.
            slow_mode_seconds: how long members wait between two messages.
        """
        handle = self._channel(ChatKind.SUPERGROUP, title, owner, members, admins)
        chat = handle.record
        chat.username, chat.noforwards, chat.about = username, noforwards, about
        chat.slow_mode_seconds = slow_mode_seconds
        if forum:
            self.world.make_forum(chat)
        return handle

    def channel(
        self,
        title: str,
        *,
        owner: User,
        members: Iterable[User] = (),
        admins: dict[User, Iterable[str]] | None = None,
        username: str | None = None,
        noforwards: bool = False,
        about: str = "",
    ) -> ChatHandle:
        """Adds a broadcast channel; its first message (id 1) says that it was created."""
        handle = self._channel(ChatKind.CHANNEL, title, owner, members, admins)
        chat = handle.record
        chat.username, chat.noforwards, chat.about = username, noforwards, about
        return handle

    def group(self, title: str, *, owner: User, members: Iterable[User] = ()) -> ChatHandle:
        """Adds a basic group: its ids come from each account's own space, as in private chats."""
        chat_id = self.world.new_id(100_000_000, 900_000_000, self.world.chats)
        chat = Chat(chat_id, ChatKind.GROUP, title, self.world.now(), default_banned=frozenset())
        chat.invite_hash = self.world.digest("invite", chat_id).hex()
        chat.members[owner.id] = Member(owner, chat.date, creator=True)
        self._join(chat, members, None)
        self.world.chats[chat_id] = chat
        return ChatHandle(self.world, chat, owner)

    def private_chat(
        self, account: User, other: User, *, placeholder_count: int | None = None
    ) -> ChatHandle:
        """Returns the private chat of two users, in the first one's id space.

        Args:
            account: who can log in; message ids come from its space.
            other: the partner; the account itself for saved messages.
            placeholder_count: a count to report instead of the true one.
        """
        if not account.is_account:
            raise ValueError("the first user of a private chat must be an account")
        chat = self.world.private_chat(account, other)
        chat.placeholder_count = placeholder_count
        return ChatHandle(self.world, chat, account)

    def pin(self, account: User, *chats: ChatHandle) -> None:
        """Pins chats in an account's list, the topmost first."""
        self.world.dialog_lists[account.id].pinned += [chat.record for chat in chats]

    def archive(self, account: User, *chats: ChatHandle) -> None:
        """Puts chats into an account's archive."""
        self.world.dialog_lists[account.id].archived += [chat.record for chat in chats]

    def folder(
        self,
        account: User,
        title: str,
        *chats: ChatHandle,
        groups: bool = False,
        broadcasts: bool = False,
    ) -> None:
        """Makes a folder of chats, and of all groups or broadcast channels if so said."""
        records = [chat.record for chat in chats]
        folder = Folder(title, records, groups, broadcasts)
        self.world.dialog_lists[account.id].folders.append(folder)

    def _channel(
        self,
        kind: ChatKind,
        title: str,
        owner: User,
        members: Iterable[User],
        admins: dict[User, Iterable[str]] | None,
    ) -> ChatHandle:
        chat = self.world.add_channel(kind, title, owner)
        self._join(chat, members, admins)
        return ChatHandle(self.world, chat, None)

    def _join(
        self,
        chat: Chat,
        members: Iterable[User],
        admins: dict[User, Iterable[str]] | None,
    ) -> None:
        for user in members:
            chat.members.setdefault(user.id, Member(user, chat.date))
        for user, rights in (admins or {}).items():
            if unknown := set(rights) - ADMIN_RIGHTS:
                raise ValueError(f"no admin rights: {sorted(unknown)}")
            chat.members[user.id] = Member(user, chat.date, admin_rights=frozenset(rights))
