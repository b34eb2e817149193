"""What a run knows of the hub, beyond what it planned with.

A value that the run's workers share and keep up to date: what one of them made is there for the
next. What is recorded for good is the store's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from archive.ids import ContentKey, IdentityId, MessageId, TopicId
from archive.publishing.outbox import Actual, PublicationRow, SummaryRow


@dataclass(slots=True)
class Board:
    """What is where in the hub, by now.

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

    def message_id(self, row: PublicationRow) -> MessageId | None:
        """Return the message of a post, recorded or found a moment ago."""
        return row.message_id or self.message_ids.get(row.publication_id)

    def forget(self, identity_id: IdentityId) -> None:
        """Note that a topic is gone."""
        self.topic_ids.pop(identity_id, None)
        self.summaries.pop(identity_id, None)
