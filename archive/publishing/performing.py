"""One operation after another is done to a hub, its intent stored before, its outcome after.

Doing one again after whatever interrupted it comes to the same: sends have their random id, and
to edit, close, pin or delete what is so already is no error. Summaries are ``telling``'s, posts
are ``sending``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from archive.ids import ChatNo, ContentKey, IdentityId, MessageId, TopicId
from archive.publishing.captions import caption
from archive.publishing.operations import (
    DeletePosts,
    DeleteTopic,
    EditCaption,
    EditSummary,
    EditTopic,
    FindPost,
    FindTopic,
    LinkTopic,
    OpenTopic,
    Operation,
    PinSummary,
    PostContent,
    PostSummary,
)
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.ports import PublishingStore
from archive.publishing.records import Hub, HubGateway, MessageStuck, TopicGone
from archive.publishing.sending import NOTHING, Sender
from archive.publishing.state import (
    Actual,
    OutboxState,
    Permission,
    PublicationRow,
    SummaryRow,
    TopicRow,
)
from archive.publishing.telling import Teller


@dataclass(slots=True)
class Board:
    """What a run knows of the hub, beyond what it planned with.

    Attributes:
        missing: Contents that could not be posted: they do not leave other topics.
    """

    topic_ids: dict[IdentityId, TopicId] = field(default_factory=dict)
    summaries: dict[IdentityId, SummaryRow] = field(default_factory=dict)
    message_ids: dict[UUID, MessageId] = field(default_factory=dict)
    missing: set[ContentKey] = field(default_factory=set)

    @classmethod
    def of(cls, actual: Actual) -> Board:
        """Begin with what is recorded."""
        board = cls()
        for row in actual.topics.values():
            if row.topic_id is not None:
                board.topic_ids[row.identity_id] = row.topic_id
            if row.summary is not None:
                board.summaries[row.identity_id] = row.summary
        return board

    def forget(self, identity_id: IdentityId) -> None:
        """Note that a topic is gone."""
        self.topic_ids.pop(identity_id, None)
        self.summaries.pop(identity_id, None)


class Performer:
    """Does operations to one hub.

    Args:
        store: The outbox.
        gateway: The only way to write to Telegram.
        hub: As the store knows it.
        sender: Posts contents there.
        board: What is known of the hub; kept up to date.
        pace: Awaited before every write.
        draw: Draws random ids.
    """

    def __init__(
        self,
        store: PublishingStore,
        gateway: HubGateway,
        hub: Hub,
        sender: Sender,
        board: Board,
        *,
        pace: Pace,
        draw: Callable[[], int],
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._hub = hub
        self._sender = sender
        self._board = board
        self._pace = pace
        self._draw = draw
        self._teller = Teller(store, gateway, hub, board.summaries, pace=pace, draw=draw)

    async def perform(self, operation: Operation) -> Outcome:
        """Do one operation, or find out that it was done."""
        match operation:
            case DeletePosts():
                return await self._delete_posts(operation)
            case OpenTopic():
                return await self._open(operation)
            case FindTopic():
                return await self._find_topic(operation)
        topic_id = self._board.topic_ids.get(operation.identity_id)
        # It was withdrawn, or found to be gone, a moment ago.
        if topic_id is None:
            return self._note(operation, Outcome.WITHDRAWN)
        try:
            return self._note(operation, await self._in_topic(operation, topic_id))
        except TopicGone:
            await self._note_topic_gone(operation.identity_id, topic_id)
            return self._note(operation, Outcome.GONE)

    async def _in_topic(self, operation: Operation, topic_id: TopicId) -> Outcome:
        match operation:
            case EditTopic():
                return await self._edit_topic(operation, topic_id)
            case DeleteTopic():
                return await self._delete_topic(operation, topic_id)
            case PostSummary() | EditSummary():
                permission = await self._permission(operation.identity_id, operation.chat_nos)
                if permission.chat_nos != operation.chat_nos:
                    return Outcome.WITHDRAWN
                if isinstance(operation, EditSummary):
                    return await self._teller.edit(operation.identity_id, operation.text)
                if not permission.is_visible and operation.pending is None:
                    return Outcome.WITHDRAWN
                return await self._teller.post(operation.identity_id, topic_id, operation.text)
            case PinSummary():
                return await self._teller.pin(operation.identity_id)
            case LinkTopic():
                goal = self._board.topic_ids.get(operation.survivor_id)
                return await self._teller.link(operation, topic_id, goal)
            case PostContent():
                return await self._sender.post(operation, topic_id)
            case FindPost():
                found = await self._sender.find(operation.pending, topic_id)
                self._board.message_ids[operation.pending.publication_id] = found
                return Outcome.FOUND
            case EditCaption():
                return await self._edit_caption(operation)
        raise AssertionError(f"nobody does {type(operation).__name__}")

    def _note(self, operation: Operation, outcome: Outcome) -> Outcome:
        if isinstance(operation, PostContent) and not outcome.is_post:
            self._board.missing.add(operation.content_key)
        return outcome

    async def _open(self, operation: OpenTopic) -> Outcome:
        if not (await self._permission(operation.identity_id)).is_visible:
            return Outcome.WITHDRAWN
        row = operation.pending or TopicRow(
            operation.identity_id,
            self._draw(),
            OutboxState.PLANNED,
            operation.title,
            operation.icon_color,
        )
        await self._pace()
        await asyncio.to_thread(self._store.begin_topic, self._hub.hub_no, row)
        topic_id = await self._gateway.create_topic(
            self._hub.chat, title=row.title, icon_color=row.icon_color, random_id=row.random_id
        )
        await asyncio.to_thread(self._store.finish_topic, self._hub.hub_no, row, topic_id)
        self._board.topic_ids[operation.identity_id] = topic_id
        return Outcome.TOPIC

    async def _find_topic(self, operation: FindTopic) -> Outcome:
        """Learn a topic's id without naming the person again."""
        row = operation.pending
        await self._pace()
        topic_id = await self._gateway.create_topic(
            self._hub.chat, title=NOTHING, icon_color=row.icon_color, random_id=row.random_id
        )
        await asyncio.to_thread(
            self._store.begin_topic_removal, self._hub.hub_no, row.identity_id, topic_id
        )
        self._board.topic_ids[row.identity_id] = topic_id
        return Outcome.FOUND

    async def _edit_topic(self, operation: EditTopic, topic_id: TopicId) -> Outcome:
        identity_id, title, closed = operation.identity_id, operation.new_title, operation.closed
        if closed is False and not (await self._permission(identity_id)).is_visible:
            return Outcome.WITHDRAWN
        await self._pace()
        await asyncio.to_thread(
            self._store.begin_topic_edit,
            self._hub.hub_no,
            identity_id,
            title=title,
            closed=closed,
        )
        await self._gateway.edit_topic(self._hub.chat, topic_id, title=title, closed=closed)
        await asyncio.to_thread(self._store.finish_topic_edit, self._hub.hub_no, identity_id)
        return Outcome.EDIT

    async def _delete_topic(self, operation: DeleteTopic, topic_id: TopicId) -> Outcome:
        if operation.needed & self._board.missing:
            return Outcome.WITHDRAWN
        identity_id = operation.identity_id
        await self._pace()
        await asyncio.to_thread(
            self._store.begin_topic_removal, self._hub.hub_no, identity_id, topic_id
        )
        await self._gateway.delete_topic(self._hub.chat, topic_id)
        await asyncio.to_thread(self._store.finish_topic_removal, self._hub.hub_no, identity_id)
        self._board.forget(identity_id)
        return Outcome.REMOVAL

    async def _note_topic_gone(self, identity_id: IdentityId, topic_id: TopicId) -> None:
        hub_no = self._hub.hub_no
        await asyncio.to_thread(self._store.begin_topic_removal, hub_no, identity_id, topic_id)
        await asyncio.to_thread(self._store.finish_topic_removal, hub_no, identity_id)
        self._board.forget(identity_id)

    async def _edit_caption(self, operation: EditCaption) -> Outcome:
        chat_nos = {source.chat.chat_no for source in operation.listed}
        permission = await self._permission(operation.identity_id, chat_nos)
        listed = [s for s in operation.listed if s.chat.chat_no in permission.chat_nos]
        publication_id = operation.row.publication_id
        message_id = self._message_id(operation.row)
        if not listed or message_id is None:
            return Outcome.WITHDRAWN
        text = caption(listed, operation.seconds)
        await self._pace()
        await asyncio.to_thread(self._store.begin_caption, publication_id, text)
        try:
            await self._gateway.edit(self._hub.chat, message_id, text)
        except MessageStuck:
            await self._remove([publication_id], [message_id])
            return Outcome.GONE
        await asyncio.to_thread(self._store.finish_caption, publication_id)
        return Outcome.EDIT

    async def _delete_posts(self, operation: DeletePosts) -> Outcome:
        due = {
            row.publication_id: message_id
            for row in operation.rows
            if row.content_key not in self._board.missing
            and row.identity_id in self._board.topic_ids
            and (message_id := self._message_id(row)) is not None
        }
        if not due:
            return Outcome.WITHDRAWN
        await self._pace()
        await self._remove(list(due), list(due.values()))
        return Outcome.REMOVAL

    async def _remove(self, publication_ids: list[UUID], message_ids: list[MessageId]) -> None:
        await asyncio.to_thread(self._store.begin_removals, publication_ids)
        await self._gateway.delete_messages(self._hub.chat, message_ids)
        await asyncio.to_thread(self._store.finish_removals, publication_ids)

    def _message_id(self, row: PublicationRow) -> MessageId | None:
        return row.message_id or self._board.message_ids.get(row.publication_id)

    async def _permission(
        self, identity_id: IdentityId, chat_nos: Iterable[ChatNo] = ()
    ) -> Permission:
        return await asyncio.to_thread(self._store.permission, identity_id, chat_nos)
