"""A family chat with photos on the loopback Telegram, read into the store, and forums for it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from PIL import Image

from archive.chats import MarkedId
from archive.ids import AccountId, ChatId
from archive.publishing import (
    Hub,
    HubGateway,
    HubRule,
    Operation,
    Pace,
    Policy,
    PublishOptions,
    PublishResult,
    no_pace,
    publish,
)
from archive.publishing.doubts import Doubt
from archive.publishing.publish import utc_now
from archive.publishing.ways import CropSource
from archive.records import Chat, ChatKind, Page
from resources.store.database import Database
from resources.store.remarks import RemarkStore
from resources.store.topics import TopicStore
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.config import TelegramConfig
from resources.telegram.login import login
from resources.telegram.sessions import Lane, SessionFiles
from telegram_sandbox import ChatHandle, Message, Sandbox, Scenario, User
from telegram_sandbox.records import FileMedia
from tests.fakes.hub import Died
from tests.integration.publishing_rows import Rows

__all__ = ["Died", "Stage", "picture", "seen", "shown", "stage"]

PHONE = "+491700000001"
PHOTOS = 6


WRITES = frozenset(
    {"create_topic", "edit_topic", "delete_topic", "send", "send_album", "say", "edit"}
    | {"delete_messages", "pin"}
)


class MortalHub:
    """The real gateway, in a process that dies before or after the next write."""

    def __init__(self, real: HubGateway, dies: str = "") -> None:
        self._real = real
        self._dies = dies

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._real, name)
        if name not in WRITES:
            return method

        async def write(*arguments: Any, **more: Any) -> Any:
            self._die("before the call")
            answer = await method(*arguments, **more)
            self._die("after the call")
            return answer

        return write

    def recorded(self, _: Operation) -> None:
        self._die("after the record")

    def _die(self, point: str) -> None:
        if self._dies == point:
            raise Died


@dataclass
class Stage:
    """Everything a test of publishing plays with."""

    scenario: Scenario
    sandbox: Sandbox
    me: User
    bob: User
    family: ChatHandle
    account: TelegramAccount
    rows: Rows
    store: TopicStore
    people: ChatHandle
    others: ChatHandle
    guest: ChatHandle
    hashes: dict[int, int | None] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)

    @property
    def remarks(self) -> RemarkStore:
        return RemarkStore(self.rows.database)

    def hub(self, handle: ChatHandle, rule: HubRule | None = None) -> Hub:
        """Let a forum be the hub, or by a rule one of them."""
        chat_no = self.rows.chat(
            handle.record.id,
            handle.title,
            chat_id=handle.id,
            access_hash=self.hashes[handle.id],
            is_hub=True,
        )
        return self.store.use(chat_no) if rule is None else self.store.add(chat_no, rule)

    async def publish(
        self,
        hub: Hub,
        *,
        max_operations: int | None = None,
        dies: str = "",
        now: datetime | None = None,
        pace: Pace = no_pace,
        crops: CropSource | None = None,
        faces: CropSource | None = None,
        doubts: Sequence[Doubt] | None = None,
        on_operation: Callable[[Operation], None] = lambda _: None,
        store: TopicStore | None = None,
    ) -> PublishResult:
        gateway = MortalHub(self.account.hub, dies)

        def recorded(operation: Operation) -> None:
            gateway.recorded(operation)
            on_operation(operation)

        return await publish(
            store or self.store,
            cast(HubGateway, gateway),
            self.account.media,
            hub,
            PublishOptions(max_operations, self.policy, doubts),
            pace=pace,
            crops=crops,
            faces=faces,
            now=lambda: now or utc_now(),
            on_operation=recorded,
        )

    def asked(self, *methods: str) -> int:
        return sum(self.sandbox.state.requests[method] for method in methods)


def shown(handle: ChatHandle) -> dict[str, list[tuple[str, bytes]]]:
    """What a member sees in each topic of a forum: captions and pictures in their order."""
    return {
        f"{topic.title} {topic.icon_color:x}": [
            (message.text, message.media.file.data)
            for message in handle.messages
            if message.topic_id == topic.id and message.media is not None
        ]
        for topic in handle.topics
        if topic.id != 1
    }


def seen(handle: ChatHandle) -> dict[str, list[tuple[str, bytes | None, bool]]]:
    """Everything a member sees of a forum: each topic, its texts, pictures and pins."""
    assert all(message.topic_id or message.action for message in handle.messages)
    return {
        f"{topic.title} {topic.icon_color:x}{' closed' if topic.closed else ''}": [
            (message.text, _data(message), message.pinned)
            for message in handle.messages
            if message.topic_id == topic.id and message.action is None
        ]
        for topic in handle.topics
        if topic.id != 1
    }


def _data(message: Message) -> bytes | None:
    if not isinstance(message.media, FileMedia):
        return None
    assert message.media.file is not None
    return message.media.file.data


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (40 * number, 90, 200 - 30 * number)).save(buffer, "JPEG")
    return buffer.getvalue()


@asynccontextmanager
async def stage(database: Database, folder: Path) -> AsyncIterator[Stage]:
    """Three people: two in photo 3; photo 4 is a near copy of photo 1; the third one is named."""
    scenario = Scenario(seed=1)
    me = scenario.user("Ada", phone=PHONE)
    bob = scenario.user("Bob")
    family = scenario.supergroup("Family <3", owner=bob, members=[me])
    people, others = (scenario.supergroup("People", owner=me, forum=True) for _ in range(2))
    guest = scenario.supergroup("Bob's", owner=bob, members=[me], forum=True)
    for number in range(1, PHOTOS + 1):
        family.photo(bob, picture(number))
    async with Sandbox(scenario) as sandbox, _account(sandbox, folder) as account:
        rows = Rows(database, account.account.account_id)
        store = TopicStore(database)
        found = Stage(
            scenario, sandbox, me, bob, family, account, rows, store, people, others, guest
        )
        for handle in (people, others, guest, family):
            peer = await account.peers.resolve(MarkedId(ChatId(handle.id)))
            found.hashes[handle.id] = peer.access_hash
        await _read(found)
        _recognise(rows)
        yield found
        assert sandbox.state.unknown_requests == []
        assert sandbox.state.crashes == []


@asynccontextmanager
async def _account(sandbox: Sandbox, folder: Path) -> AsyncIterator[TelegramAccount]:
    files = SessionFiles(folder / "sessions")
    config = TelegramConfig(
        api_id=1,
        api_hash="hash-of-the-application",
        server=(sandbox.host, sandbox.port),
        server_key_pem=sandbox.public_key_pem,
        flood_sleep_limit_seconds=2,
        request_timeout_seconds=10,
    )
    await login(config, files, phone=PHONE, ask_code=_code, ask_password=_code)
    async with connect(config, files, Lane.BACKFILL) as account:
        yield account


async def _code() -> str:
    return "12345"


async def _read(found: Stage) -> None:
    """Store the family chat as reading its history would have."""
    family, rows = found.family, found.rows
    rows.chat(1, family.title, chat_id=family.id, access_hash=found.hashes[family.id])
    chat = Chat(
        chat_no=1,
        chat_id=family.id,
        account_id=AccountId(rows.account_id),
        kind=ChatKind.SUPERGROUP,
        title=family.title,
        access_hash=found.hashes[family.id],
    )
    store_photos(rows, await found.account.history.page(chat, offset_id=0))


def store_photos(rows: Rows, page: Page, chat_no: int = 1) -> None:
    """Store the photos of a chat as looking at them would have, numbered from the oldest on."""
    media = [message for message in reversed(page.messages) if message.media is not None]
    for number, message in enumerate(media, 1):
        assert message.media is not None
        assert message.access is not None
        rows.content(number, phash=_phash(1 if number == 4 else number))
        rows.message(
            number,
            message.message_id,
            chat_no=chat_no,
            media_id=message.media.media_id,
            access=(message.access.access_hash, message.access.file_reference),
            variant=message.media.variant,
        )
        rows.run(
            "UPDATE media SET size_bytes = %s, dc_id = %s WHERE media_id = %s",
            message.media.size_bytes,
            message.media.dc_id,
            message.media.media_id,
        )


def _phash(number: int) -> int:
    """A hash that no other number comes near."""
    digest = hashlib.sha256(bytes([number])).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _recognise(rows: Rows) -> None:
    for number, label in ((1, None), (2, None), (3, "Mia & Ida")):
        rows.person(number, label)
    for content, person in ((1, 1), (2, 1), (3, 1), (4, 1), (3, 2), (5, 2), (6, 3)):
        rows.face(content, person)
