"""Posts that are in a hub name other sources, or leave it.

How a post gets there is ``sending``'s.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from archive.ids import MessageId
from archive.publishing.board import Board
from archive.publishing.captions import caption
from archive.publishing.operations import DeletePosts, EditCaption
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.ports import PublishingStore
from archive.publishing.records import Hub, HubGateway, MessageStuck


class Amender:
    """Changes and deletes posts of one hub.

    Args:
        store: The outbox.
        gateway: The only way to write to Telegram.
        hub: As the store knows it.
        board: What is known of the hub.
        pace: Awaited before every write.
    """

    def __init__(
        self,
        store: PublishingStore,
        gateway: HubGateway,
        hub: Hub,
        board: Board,
        *,
        pace: Pace,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._hub = hub
        self._board = board
        self._pace = pace

    async def edit(self, operation: EditCaption) -> Outcome:
        """Let a post name its sources anew, those that may be named now."""
        chat_nos = {source.chat.chat_no for source in operation.listed}
        permission = await asyncio.to_thread(
            self._store.permission, operation.identity_id, chat_nos, operation.row.doubt
        )
        listed = [s for s in operation.listed if s.chat.chat_no in permission.chat_nos]
        publication_id = operation.row.publication_id
        message_id = self._board.message_id(operation.row)
        names_nobody = operation.asked is None or permission.is_visible
        if not listed or message_id is None or not names_nobody:
            return Outcome.WITHDRAWN
        text = caption(listed, operation.seconds, operation.asked)
        await self._pace()
        await asyncio.to_thread(self._store.begin_caption, publication_id, text)
        try:
            await self._gateway.edit(self._hub.chat, message_id, text)
        except MessageStuck:
            await self._remove([publication_id], [message_id])
            return Outcome.GONE
        await asyncio.to_thread(self._store.finish_caption, publication_id)
        return Outcome.EDIT

    async def delete(self, operation: DeletePosts) -> Outcome:
        """Delete posts, except of contents that could not be posted where they belong."""
        due = {
            row.publication_id: message_id
            for row in operation.rows
            if row.content_key not in self._board.missing
            and row.identity_id in self._board.topic_ids
            and (message_id := self._board.message_id(row)) is not None
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
