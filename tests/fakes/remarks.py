"""Where remarks wait, in memory; none is ever judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from archive.ids import MessageId, TopicId, UserId
from archive.publishing import Hub, HubNo
from archive.remarks import Remark


@dataclass
class MemoryRemarks:
    """What was said, by its message, in the order in which it was kept."""

    kept: dict[MessageId, Remark] = field(default_factory=dict)

    def unheard(self, hub_no: HubNo, remarks: Sequence[Remark]) -> list[Remark]:
        return [each for each in remarks if each.message_id not in self.kept]

    def hear(self, hub: Hub, remarks: Sequence[Remark]) -> None:
        for each in remarks:
            self.kept.setdefault(each.message_id, each)

    def titles_waiting(self, hub_no: HubNo) -> set[tuple[TopicId, str]]:
        return {(each.topic_id, each.text) for each in self.kept.values() if each.is_title}

    def save_admins(self, hub_no: HubNo, user_ids: Collection[UserId]) -> None:
        """Nobody judges here."""
