"""An outbox in memory with the states of the one in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from archive.errors import Transient
from archive.ids import AccountId, ChatNo, IdentityId, MediaId, MessageId, TopicId
from archive.publishing import Hub, HubNo, HubState
from archive.publishing.doubts import REVIEW, Doubt
from archive.publishing.outbox import (
    NOTHING,
    Actual,
    Attempt,
    OutboxState,
    PublicationRow,
    SummaryRow,
    TopicRow,
)
from archive.publishing.state import Material, Permission, Projection
from archive.publishing.wanted import Source, WantedContent
from archive.records import MediaAccess, MediaFile, MediaKind

S = OutboxState


@dataclass
class MemoryOutbox:
    """Rows of one hub; what belongs into it is asked of a world.

    Attributes:
        wanted: What the hub should hold, with an empty outbox.
        allowed: What the switches say.
        open_doubts: Which questions nobody and nothing has answered.
        changed: Told after every change of a row.
        read_back: How far down a look at the hub came.
        drifts: How many looks found something to put right.
    """

    hub_: Hub
    wanted: Callable[[], Projection]
    allowed: Callable[[IdentityId, frozenset[ChatNo]], Permission]
    open_doubts: Callable[[Sequence[Doubt]], Sequence[WantedContent]] = lambda _: ()
    topics: dict[IdentityId, TopicRow] = field(default_factory=dict)
    summaries: dict[IdentityId, SummaryRow] = field(default_factory=dict)
    posts: dict[UUID, PublicationRow] = field(default_factory=dict)
    changed: Callable[[], None] = lambda: None
    read_back: MessageId = field(default=MessageId(0))
    drifts: int = 0

    def hub(self, hub_no: HubNo) -> Hub | None:
        return self.hub_ if hub_no == self.hub_.hub_no else None

    def set_state(self, hub_no: HubNo, state: HubState, reason: str | None = None) -> None:
        self.hub_ = replace(self.hub_, state=state, reason=reason)

    def publishing(self, hub_no: HubNo) -> AbstractContextManager[object]:
        return nullcontext()

    def projection(self, hub_no: HubNo) -> Projection:
        topics = {
            key: replace(row, summary=self.summaries.get(key))
            for key, row in self.topics.items()
            if row.state is not S.REMOVED
        }
        posts = tuple(row for row in self.posts.values() if row.state is not S.REMOVED)
        return replace(self.wanted(), actual=Actual(topics, posts))

    def recorded(self, hub_no: HubNo) -> Actual:
        return self.projection(hub_no).actual

    def read_back_from(self, hub_no: HubNo) -> MessageId:
        return self.read_back

    def note_read_back(self, hub_no: HubNo, message_id: MessageId) -> None:
        self.read_back = message_id

    def note_media(self, publication_id: UUID, media_id: MediaId) -> None:
        self.posts[publication_id] = replace(self.posts[publication_id], media_id=media_id)

    def note_drift(self, hub_no: HubNo) -> None:
        self.drifts += 1

    def permission(
        self, identity_id: IdentityId, chat_nos: Iterable[ChatNo], doubt: Doubt | None = None
    ) -> Permission:
        permission = self.allowed(identity_id, frozenset(chat_nos))
        if identity_id != REVIEW:
            return permission
        return replace(permission, is_visible=doubt is None or bool(self.open_doubts([doubt])))

    def still_asked(self, doubts: Sequence[Doubt]) -> Sequence[WantedContent]:
        return self.open_doubts(doubts)

    def material(self, source: Source, posting: AccountId) -> Material:
        access = MediaAccess(source.media_id, 1, b"")
        return Material(MediaFile(source.media_id, MediaKind.PHOTO), access, None)

    def begin_topic(self, hub_no: HubNo, row: TopicRow) -> None:
        there = self.topics.get(row.identity_id)
        _require(there is None or there.state in {S.SENDING, S.REMOVED})
        self.topics[row.identity_id] = replace(row, state=S.SENDING, topic_id=None)
        self.changed()

    def finish_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        self._topic(row.identity_id, {S.SENDING}, state=S.SENT, topic_id=topic_id)

    def begin_topic_edit(
        self, hub_no: HubNo, identity_id: IdentityId, *, title: str | None, closed: bool | None
    ) -> None:
        row = self.topics[identity_id]
        self._topic(
            identity_id,
            {S.SENT, S.EDITING},
            state=S.EDITING,
            title=row.title if title is None else title,
            closed=row.closed if closed is None else closed,
        )

    def finish_topic_edit(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        self._topic(identity_id, {S.EDITING}, state=S.SENT)

    def begin_topic_removal(
        self, hub_no: HubNo, identity_id: IdentityId, topic_id: TopicId
    ) -> None:
        states = {S.SENDING, S.SENT, S.EDITING, S.REMOVING}
        self._topic(identity_id, states, state=S.REMOVING, topic_id=topic_id)

    def finish_topic_removal(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        self.summaries.pop(identity_id, None)
        for row in list(self.posts.values()):
            if row.identity_id == identity_id:
                self.posts[row.publication_id] = replace(row, state=S.REMOVED)
        self._topic(identity_id, {S.REMOVING}, state=S.REMOVED)

    def begin_summary(self, hub_no: HubNo, identity_id: IdentityId, row: SummaryRow) -> None:
        there = self.summaries.get(identity_id)
        _require(there is None or there.state is S.SENDING)
        self.summaries[identity_id] = replace(row, state=S.SENDING)
        self.changed()

    def finish_summary(
        self, hub_no: HubNo, identity_id: IdentityId, message_id: MessageId, *, certain: bool
    ) -> None:
        state = S.SENT if certain else S.EDITING
        self._summary(identity_id, {S.SENDING}, state=state, message_id=message_id)

    def begin_summary_edit(self, hub_no: HubNo, identity_id: IdentityId, text: str) -> None:
        self._summary(identity_id, {S.SENT, S.EDITING}, state=S.EDITING, text=text)

    def finish_summary_edit(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        self._summary(identity_id, {S.EDITING}, state=S.SENT)

    def pinned_summary(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        self._summary(identity_id, {S.SENT, S.EDITING}, pinned=True)

    def note_unpinned(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        self._summary(identity_id, {S.SENT, S.EDITING}, pinned=False)

    def forget_summary(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        self.summaries.pop(identity_id, None)
        self.changed()

    def finish_answer(self, remark_id: int, message_id: MessageId) -> None:
        raise NotImplementedError

    def adopt_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        self.begin_topic(hub_no, row)
        self.finish_topic(hub_no, row, topic_id)
        self.begin_topic_edit(hub_no, row.identity_id, title=None, closed=row.closed)
        self.finish_topic_edit(hub_no, row.identity_id)

    def adopt_summary(
        self, hub_no: HubNo, row: TopicRow, summary: SummaryRow, message_id: MessageId
    ) -> None:
        self.begin_summary(hub_no, row.identity_id, summary)
        self.finish_summary(hub_no, row.identity_id, message_id, certain=False)
        self.pinned_summary(hub_no, row.identity_id)

    def adopt_post(
        self, hub_no: HubNo, row: PublicationRow, attempt: Attempt, message_id: MessageId
    ) -> None:
        self.begin_post(hub_no, row, attempt)
        self.finish_post(row.publication_id, attempt.random_id, message_id, certain=False)

    def begin_post(self, hub_no: HubNo, row: PublicationRow, attempt: Attempt) -> None:
        there = self.posts.get(row.publication_id)
        _require(there is None or there.state in {S.PLANNED, S.SENDING})
        others = [
            each
            for each in self.posts.values()
            if (each.identity_id, each.content_key) == (row.identity_id, row.content_key)
            and each.publication_id != row.publication_id
            and each.state is not S.REMOVED
        ]
        _require(not others)
        self.posts[row.publication_id] = replace(
            row,
            state=S.SENDING,
            random_id=attempt.random_id,
            caption=attempt.caption,
            method=attempt.method,
            source_chat_no=attempt.source.chat.chat_no,
            source_message_id=attempt.source.message_id,
            album_id=attempt.album_id,
            media_id=attempt.media_id,
        )
        self.changed()

    def finish_post(
        self, publication_id: UUID, random_id: int, message_id: MessageId, *, certain: bool
    ) -> None:
        state = S.SENT if certain else S.EDITING
        self._post(publication_id, {S.SENDING}, state=state, message_id=message_id)

    def refuse_post(
        self, hub_no: HubNo, row: PublicationRow, reason: str, retry_at: datetime
    ) -> None:
        self.posts[row.publication_id] = replace(
            row, state=S.PLANNED, refusal=reason, retry_at=retry_at
        )

    def begin_caption(self, publication_id: UUID, caption: str) -> None:
        self._post(publication_id, {S.SENT, S.EDITING}, state=S.EDITING, caption=caption)

    def finish_caption(self, publication_id: UUID) -> None:
        self._post(publication_id, {S.EDITING}, state=S.SENT)

    def seek_post(self, publication_id: UUID) -> None:
        self._post(publication_id, {S.SENDING}, caption=NOTHING, album_id=None)

    def found_post(self, publication_id: UUID, random_id: int, message_id: MessageId) -> None:
        self._post(publication_id, {S.SENDING}, state=S.REMOVING, message_id=message_id)

    def begin_removals(self, publication_ids: Sequence[UUID]) -> None:
        for publication_id in publication_ids:
            self._post(publication_id, {S.SENT, S.EDITING, S.REMOVING}, state=S.REMOVING)

    def finish_removals(self, publication_ids: Sequence[UUID]) -> None:
        for publication_id in publication_ids:
            self._post(publication_id, {S.REMOVING}, state=S.REMOVED)

    def _topic(self, identity_id: IdentityId, states: set[OutboxState], **new: Any) -> None:
        row = self.topics[identity_id]
        _require(row.state in states)
        self.topics[identity_id] = replace(row, **new)
        self.changed()

    def _summary(self, identity_id: IdentityId, states: set[OutboxState], **new: Any) -> None:
        row = self.summaries[identity_id]
        _require(row.state in states)
        self.summaries[identity_id] = replace(row, **new)
        self.changed()

    def _post(self, publication_id: UUID, states: set[OutboxState], **new: Any) -> None:
        row = self.posts[publication_id]
        _require(row.state in states)
        self.posts[publication_id] = replace(row, **new)
        self.changed()


def _require(expected: bool) -> None:  # noqa: FBT001 - an assertion by another name
    if not expected:
        raise Transient("an outbox row was changed by another run")
