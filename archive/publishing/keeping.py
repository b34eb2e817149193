"""Topics of a hub are made, changed and deleted, the intent stored before, the outcome after.

What is said in them is ``telling``'s, what is posted into them ``sending``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from archive.ids import IdentityId, TopicId
from archive.publishing.board import Board
from archive.publishing.operations import DeleteTopic, EditTopic, FindTopic, OpenTopic
from archive.publishing.outbox import NOTHING, OutboxState, TopicRow
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.ports import PublishingStore
from archive.publishing.records import Hub, HubGateway


class Keeper:
    """Keeps the topics of one hub.

    Args:
        store: The outbox.
        gateway: The only way to write to Telegram.
        hub: As the store knows it.
        board: What is known of the hub; kept up to date.
        pace: Awaited before every write.
        draw: Draws random ids.
    """

    def __init__(
        self,
        store: PublishingStore,
        gateway: HubGateway,
        hub: Hub,
        board: Board,
        *,
        pace: Pace,
        draw: Callable[[], int],
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._hub = hub
        self._board = board
        self._pace = pace
        self._draw = draw

    async def open(self, operation: OpenTopic) -> Outcome:
        """Make a topic, or find out that it was made."""
        if not await self._is_visible(operation.identity_id):
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

    async def find(self, operation: FindTopic) -> Outcome:
        """Learn a topic's id without naming the person again.

        Should there be none yet, one comes of this that says nothing, and the row says so: where
        the person is wanted again by then, that is what is renamed.
        """
        row = replace(operation.pending, title=NOTHING)
        await self._pace()
        await asyncio.to_thread(self._store.begin_topic, self._hub.hub_no, row)
        topic_id = await self._gateway.create_topic(
            self._hub.chat, title=row.title, icon_color=row.icon_color, random_id=row.random_id
        )
        await asyncio.to_thread(
            self._store.begin_topic_removal, self._hub.hub_no, row.identity_id, topic_id
        )
        self._board.topic_ids[row.identity_id] = topic_id
        return Outcome.FOUND

    async def edit(self, operation: EditTopic, topic_id: TopicId) -> Outcome:
        """Rename, close or reopen a topic."""
        identity_id, title, closed = operation.identity_id, operation.new_title, operation.closed
        if closed is False and not await self._is_visible(identity_id):
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

    async def delete(self, operation: DeleteTopic, topic_id: TopicId) -> Outcome:
        """Delete a topic with all in it, unless that would leave a content nowhere."""
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

    async def note_gone(self, identity_id: IdentityId, topic_id: TopicId) -> None:
        """Record that somebody deleted a topic by hand."""
        hub_no = self._hub.hub_no
        await asyncio.to_thread(self._store.begin_topic_removal, hub_no, identity_id, topic_id)
        await asyncio.to_thread(self._store.finish_topic_removal, hub_no, identity_id)
        self._board.forget(identity_id)

    async def _is_visible(self, identity_id: IdentityId) -> bool:
        permission = await asyncio.to_thread(self._store.permission, identity_id, ())
        return permission.is_visible
