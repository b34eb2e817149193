"""The one message of a topic that says who it is about, or where they are now.

It is sent under its random id, edited when what it should say changes, and pinned. One that was
deleted by hand, or cannot be edited any more, is deleted and sent anew by the next run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from html import escape

from archive.ids import IdentityId, MessageId, TopicId
from archive.publishing.desired import pointer
from archive.publishing.operations import LinkTopic
from archive.publishing.outbox import AnswerRow, OutboxState, SummaryRow
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.ports import TopicOutbox
from archive.publishing.records import Hub, HubGateway, MessageStuck


class Teller:
    """Keeps the summaries of one hub.

    Args:
        store: The outbox.
        gateway: The only way to write to Telegram.
        hub: As the store knows it.
        summaries: What is recorded, by person; kept up to date.
        pace: Awaited before every write.
        draw: Draws random ids.
    """

    def __init__(
        self,
        store: TopicOutbox,
        gateway: HubGateway,
        hub: Hub,
        summaries: dict[IdentityId, SummaryRow],
        *,
        pace: Pace,
        draw: Callable[[], int],
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._hub = hub
        self._summaries = summaries
        self._pace = pace
        self._draw = draw

    async def post(self, identity_id: IdentityId, topic_id: TopicId, text: str) -> Outcome:
        """Send it, or find out that it was sent; what it then says may be what it said then."""
        pending = self._summaries.get(identity_id)
        random_id = self._draw() if pending is None else pending.random_id
        row = SummaryRow(random_id, OutboxState.SENDING, text)
        await self._pace()
        await asyncio.to_thread(self._store.begin_summary, self._hub.hub_no, identity_id, row)
        message_id = await self._gateway.say(self._hub.chat, topic_id, text, random_id=random_id)
        certain = pending is None
        await asyncio.to_thread(
            self._store.finish_summary,
            self._hub.hub_no,
            identity_id,
            message_id,
            certain=certain,
        )
        state = OutboxState.SENT if certain else OutboxState.EDITING
        self._summaries[identity_id] = replace(row, state=state, message_id=message_id)
        return Outcome.SUMMARY

    async def answer(self, row: AnswerRow, topic_id: TopicId) -> Outcome:
        """Answer what was said in a topic, or find out that it was answered."""
        await self._pace()
        message_id = await self._gateway.say(
            self._hub.chat, topic_id, escape(row.text), random_id=row.random_id
        )
        await asyncio.to_thread(self._store.finish_answer, row.remark_id, message_id)
        return Outcome.ANSWER

    async def edit(self, identity_id: IdentityId, text: str) -> Outcome:
        """Let it say something else."""
        message_id = self._message_id(identity_id)
        if message_id is None:
            return Outcome.WITHDRAWN
        await self._pace()
        await asyncio.to_thread(self._store.begin_summary_edit, self._hub.hub_no, identity_id, text)
        try:
            await self._gateway.edit(self._hub.chat, message_id, text)
        except MessageStuck:
            return await self._give_up(identity_id, message_id)
        await asyncio.to_thread(self._store.finish_summary_edit, self._hub.hub_no, identity_id)
        return Outcome.EDIT

    async def pin(self, identity_id: IdentityId) -> Outcome:
        """Pin it, so that it is the first thing to be seen."""
        message_id = self._message_id(identity_id)
        if message_id is None:
            return Outcome.WITHDRAWN
        await self._pace()
        try:
            await self._gateway.pin(self._hub.chat, message_id)
        except MessageStuck:
            return await self._give_up(identity_id, message_id)
        await asyncio.to_thread(self._store.pinned_summary, self._hub.hub_no, identity_id)
        return Outcome.EDIT

    async def link(self, operation: LinkTopic, topic_id: TopicId, goal: TopicId | None) -> Outcome:
        """Let it name the survivor's topic.

        Args:
            operation: Whose topic, and whom they became.
            topic_id: Where that is said.
            goal: The survivor's topic; ``None`` where it could not be made.
        """
        if goal is None:
            return Outcome.WITHDRAWN
        identity_id = operation.identity_id
        text = pointer(self._hub.chat, operation.survivor_title, goal)
        there = self._summaries.get(identity_id)
        if there is None or there.state is OutboxState.SENDING:
            outcome = await self.post(identity_id, topic_id, text)
            if self._summaries[identity_id].state is OutboxState.SENT:
                return outcome
        return await self.edit(identity_id, text)

    def _message_id(self, identity_id: IdentityId) -> MessageId | None:
        there = self._summaries.get(identity_id)
        return None if there is None else there.message_id

    async def _give_up(self, identity_id: IdentityId, message_id: MessageId) -> Outcome:
        await self._gateway.delete_messages(self._hub.chat, [message_id])
        await asyncio.to_thread(self._store.forget_summary, self._hub.hub_no, identity_id)
        self._summaries.pop(identity_id, None)
        return Outcome.GONE
