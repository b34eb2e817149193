"""One operation after another is done to a hub: whose work each is, and what became of it.

Doing one again after whatever interrupted it comes to the same: sends have their random id, and
to edit, close, pin or delete what is so already is no error. Topics are ``keeping``'s, what is
said in them ``telling``'s, posts ``sending``'s and, once they are there, ``amending``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from archive.chats import message_link
from archive.ids import MessageId, TopicId
from archive.publishing.amending import Amender
from archive.publishing.board import Board
from archive.publishing.keeping import Keeper
from archive.publishing.operations import (
    DeletePosts,
    DeleteTopic,
    EditCaption,
    EditSummary,
    EditTopic,
    FindPost,
    FindTopic,
    GiveAnswer,
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
from archive.publishing.records import Hub, HubGateway, TopicGone
from archive.publishing.sending import Sender
from archive.publishing.sending_albums import AlbumSender
from archive.publishing.telling import Teller
from archive.publishing.ways import Ways

Asking = TypeVar("Asking", PostContent, EditCaption)


class Performer:
    """Does operations to one hub.

    Args:
        store: The outbox.
        gateway: The only way to write to Telegram.
        hub: As the store knows it.
        ways: In which pictures get there.
        board: What is known of the hub; kept up to date.
        pace: Awaited before every write.
        now: The time, UTC.
        draw: Draws random ids.
    """

    def __init__(
        self,
        store: PublishingStore,
        gateway: HubGateway,
        hub: Hub,
        ways: Ways,
        board: Board,
        *,
        pace: Pace,
        now: Callable[[], datetime],
        draw: Callable[[], int],
    ) -> None:
        self._store = store
        self._sender = Sender(store, gateway, hub, ways, pace=pace, now=now, draw=draw)
        self._album_sender = AlbumSender(store, gateway, hub, self._sender, ways, pace=pace)
        self._hub = hub
        self._board = board
        self._keeper = Keeper(store, gateway, hub, board, pace=pace, draw=draw)
        self._amender = Amender(store, gateway, hub, board, pace=pace)
        self._teller = Teller(store, gateway, hub, board.summaries, pace=pace, draw=draw)

    async def perform(self, request: Sequence[Operation]) -> list[Outcome]:
        """Do what goes with one request, or find out that it was done.

        Args:
            request: One operation, or the posts of an album.
        """
        posts = [each for each in request if isinstance(each, PostContent)]
        if len(posts) > 1:
            return await self._post_album(posts)
        return [await self._perform(operation) for operation in request]

    async def _post_album(self, posts: Sequence[PostContent]) -> list[Outcome]:
        identity_id = posts[0].identity_id
        topic_id = self._board.topic_ids.get(identity_id)
        outcomes = [Outcome.WITHDRAWN for _ in posts]
        if topic_id is not None:
            try:
                outcomes = await self._album_sender.post(posts, topic_id)
            except TopicGone:
                await self._keeper.note_gone(identity_id, topic_id)
                outcomes = [Outcome.GONE for _ in posts]
        return [self._note(*each) for each in zip(posts, outcomes, strict=True)]

    async def _perform(self, operation: Operation) -> Outcome:
        match operation:
            case DeletePosts():
                return await self._amender.delete(operation)
            case OpenTopic():
                return await self._keeper.open(operation)
            case FindTopic():
                return await self._keeper.find(operation)
        topic_id = self._board.topic_ids.get(operation.identity_id)
        # It was withdrawn, or found to be gone, a moment ago.
        if topic_id is None:
            return self._note(operation, Outcome.WITHDRAWN)
        try:
            return self._note(operation, await self._in_topic(operation, topic_id))
        except TopicGone:
            await self._keeper.note_gone(operation.identity_id, topic_id)
            return self._note(operation, Outcome.GONE)

    async def _in_topic(self, operation: Operation, topic_id: TopicId) -> Outcome:
        match operation:
            case EditTopic():
                return await self._keeper.edit(operation, topic_id)
            case DeleteTopic():
                return await self._keeper.delete(operation, topic_id)
            case PostSummary() | EditSummary():
                return await self._tell(operation, topic_id)
            case PinSummary():
                return await self._teller.pin(operation.identity_id)
            case LinkTopic():
                goal = self._board.topic_ids.get(operation.survivor_id)
                return await self._teller.link(operation, topic_id, goal)
            case GiveAnswer():
                return await self._teller.answer(operation.row, topic_id)
            case PostContent():
                return await self._sender.post(self._linked(operation), topic_id)
            case FindPost():
                found = await self._sender.find(operation.pending, topic_id)
                self._board.message_ids[operation.pending.publication_id] = found
                return Outcome.FOUND
            case EditCaption():
                return await self._amender.edit(self._linked(operation))
        raise AssertionError(f"nobody does {type(operation).__name__}")

    def _linked(self, operation: Asking) -> Asking:
        """Let a question link to the topic of whom it is about, as it is by now."""
        asked = operation.asked
        if asked is None or not asked.is_coming:
            return operation
        topic_id = self._board.topic_ids.get(asked.doubt.identity_id)
        link = None if topic_id is None else message_link(self._hub.chat, MessageId(topic_id))
        return replace(operation, asked=replace(asked, link=link))

    async def _tell(self, operation: PostSummary | EditSummary, topic_id: TopicId) -> Outcome:
        """Say who a topic is about, unless a chat that it speaks of may not be named now."""
        permission = await asyncio.to_thread(
            self._store.permission, operation.identity_id, operation.chat_nos
        )
        if permission.chat_nos != operation.chat_nos:
            return Outcome.WITHDRAWN
        if isinstance(operation, EditSummary):
            return await self._teller.edit(operation.identity_id, operation.text)
        if not permission.is_visible and operation.pending is None:
            return Outcome.WITHDRAWN
        return await self._teller.post(operation.identity_id, topic_id, operation.text)

    def _note(self, operation: Operation, outcome: Outcome) -> Outcome:
        if isinstance(operation, PostContent) and not outcome.is_post:
            self._board.missing.add(operation.content_key)
        return outcome
