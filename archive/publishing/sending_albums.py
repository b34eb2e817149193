"""Several contents get into the hub with one request, each once, whatever happens on the way.

Only by reference, which moves no bytes: what cannot be copied so, and everything where Telegram
refuses the album, is posted by itself, as ``sending`` does it. As there, what is about to be
sent is stored before, and a lost answer is resolved by repeating the request under the same
random ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from archive.ids import TopicId
from archive.publishing.operations import PostContent
from archive.publishing.outbox import Attempt, PublicationRow
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.ports import PublishingStore
from archive.publishing.records import CopyRefused, Hub, HubGateway, PostMethod
from archive.publishing.sending import Draft, Sender
from archive.publishing.ways import Way, Ways, compose


@dataclass(frozen=True, slots=True)
class _Item:
    """One content of an album that can be sent with the others."""

    operation: PostContent
    draft: Draft
    way: Way

    @property
    def row(self) -> PublicationRow:
        """Return the row that it has, or gets."""
        return self.draft.row


class AlbumSender:
    """Posts albums into one hub.

    Args:
        store: The outbox.
        gateway: The only way to write to Telegram.
        hub: As the store knows it.
        sender: Posts what goes by itself.
        ways: In which pictures get there.
        pace: Awaited before every write; an album of some posts is so many writes.
    """

    def __init__(
        self,
        store: PublishingStore,
        gateway: HubGateway,
        hub: Hub,
        sender: Sender,
        ways: Ways,
        *,
        pace: Pace,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._hub = hub
        self._sender = sender
        self._ways = ways
        self._pace = pace

    async def post(self, operations: Sequence[PostContent], topic_id: TopicId) -> list[Outcome]:
        """Post contents together where that can be, and by themselves where not.

        Returns:
            What became of each, in their order.
        """
        sent = frozenset[str]()
        if len(items := await self._items(operations)) > 1:
            for _ in items:
                await self._pace()
            # That took a while: a switch may have gone off.
            items = await self._items(operations)
        if len(items) > 1:
            operations, sent = await self._send(items, operations, topic_id)
        return [
            Outcome.REFERENCE
            if operation.content_key in sent
            else await self._sender.post(operation, topic_id)
            for operation in operations
        ]

    async def _items(self, operations: Sequence[PostContent]) -> list[_Item]:
        return [item for each in operations if (item := await self._item(each)) is not None]

    async def _item(self, operation: PostContent) -> _Item | None:
        """Draft one; ``None`` where it has to go by itself, or not at all."""
        draft = await self._sender.draft(operation)
        if draft is None:
            return None
        ways = await self._ways.of(draft.sources)
        by_reference = (way for way in ways if way.method is PostMethod.REFERENCE)
        way = next(by_reference, None)
        return None if way is None else _Item(operation, draft, way)

    async def _send(
        self, items: Sequence[_Item], operations: Sequence[PostContent], topic_id: TopicId
    ) -> tuple[Sequence[PostContent], frozenset[str]]:
        """Send the album.

        Returns:
            The operations, those of a refused album with the rows they have now; and the keys of
            what was sent.
        """
        album_id = items[0].row.album_id or uuid4()
        for item in items:
            await self._begin(item, album_id)
        posts = [compose(i.way, i.draft.text, i.row.random_id, None) for i in items]
        try:
            message_ids = await self._gateway.send_album(self._hub.chat, topic_id, posts)
        except CopyRefused:
            # No message was made: the rows are taken up again under other random ids.
            rows = {item.operation.content_key: item.row for item in items}
            return [_alone(each, rows.get(each.content_key)) for each in operations], frozenset()
        for item, message_id in zip(items, message_ids, strict=True):
            await asyncio.to_thread(
                self._store.finish_post,
                item.row.publication_id,
                item.row.random_id,
                message_id,
                certain=item.draft.is_certain,
            )
        return operations, frozenset(item.operation.content_key for item in items)

    async def _begin(self, item: _Item, album_id: UUID) -> None:
        attempt = Attempt(
            item.row.random_id, item.draft.text, PostMethod.REFERENCE, item.way.source, album_id
        )
        await asyncio.to_thread(self._store.begin_post, self._hub.hub_no, item.row, attempt)


def _alone(operation: PostContent, row: PublicationRow | None) -> PostContent:
    return operation if row is None else replace(operation, pending=None, refused=row)
