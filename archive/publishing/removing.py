"""What becomes of posts and topics that do not belong where they are.

Pure. A post whose content somebody else still needs leaves only after it is there; everything
else goes at once, up to a hundred posts a request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from archive.ids import ContentKey, IdentityId
from archive.publishing.comparing import Difference, dismiss
from archive.publishing.desired import pointer, survivor
from archive.publishing.operations import (
    MAX_REMOVALS,
    DeletePosts,
    DeleteTopic,
    EditTopic,
    FindTopic,
    LinkTopic,
    Operation,
)
from archive.publishing.outbox import OutboxState, PublicationRow, TopicRow
from archive.publishing.state import Projection


class Farewells:
    """Everything that goes, by when it may.

    Args:
        projection: Both sides of the hub.
        differences: Of every topic that is wanted, most wanted first.

    Attributes:
        unresolved: May have been done already.
        links: By survivor: what makes the topics of those who were merged point there.
        late: Topics that go once their contents are elsewhere.
        titles: Of every topic that loses posts.
        waiting: Posts that stay until what they show could be posted where it belongs.
        removed: How many posts go.
    """

    def __init__(
        self, projection: Projection, differences: Mapping[IdentityId, Difference]
    ) -> None:
        self._projection = projection
        self._differences = differences
        self._shown: set[ContentKey] = set()
        self._refused: set[ContentKey] = set()
        self._receivers: dict[ContentKey, IdentityId] = {}
        for identity_id, found in differences.items():
            self._refused |= found.refused
            # What a hidden person's closed topic holds is not to be seen there.
            if not found.topic.closed:
                self._shown |= found.shown
            for key in found.coming:
                self._receivers.setdefault(key, identity_id)
        self._awaited: dict[IdentityId, set[ContentKey]] = defaultdict(set)
        self._moved: dict[IdentityId, list[PublicationRow]] = defaultdict(list)
        self._gone: list[PublicationRow] = []
        self._deleted: list[Operation] = []
        self.unresolved: list[Operation] = []
        self.links: dict[IdentityId, list[Operation]] = defaultdict(list)
        self.late: list[Operation] = []
        self.titles: dict[IdentityId, str] = {}
        self.waiting = 0

    @property
    def removed(self) -> int:
        """Return how many posts leave topics that stay."""
        return len(self._gone) + sum(len(rows) for rows in self._moved.values())

    def awaited_in(self, identity_id: IdentityId) -> set[ContentKey]:
        """Return which contents are needed here before they may leave other topics."""
        return self._awaited.get(identity_id, set())

    def moved_to(self, identity_id: IdentityId) -> Sequence[PublicationRow]:
        """Return what leaves other topics once it is in this one."""
        return self._moved.get(identity_id, ())

    def urgent(self) -> list[Operation]:
        """Return what goes at once, for any topics together."""
        return [*self._deleted, *batches(self._gone, self.titles)]

    def settle(self, rows: Iterable[PublicationRow], title: str) -> None:
        """Decide when posts that do not belong into a topic leave it."""
        for row in rows:
            self.titles[row.identity_id] = title
            # Within a topic a content is posted anew only once what there was of it is gone.
            is_same = self._receivers.get(row.content_key) == row.identity_id
            if is_same or row.state is OutboxState.REMOVING or not self._is_needed(row.content_key):
                self._gone.append(row)
            elif self._awaits(row.content_key):
                self._moved[self._receivers[row.content_key]].append(row)
            else:
                self.waiting += 1

    def _awaits(self, key: ContentKey) -> bool:
        """Let whoever is to show a content show it early; false where nobody can at present."""
        goal = self._receivers.get(key)
        if goal is None:
            return False
        self._awaited[goal].add(self._differences[goal].coming[key])
        return True

    def _is_needed(self, key: ContentKey) -> bool:
        """Whether there would be nowhere to see what somebody is to be seen in."""
        return key not in self._shown and (key in self._receivers or key in self._refused)

    def leave(self, rows: Mapping[IdentityId, Sequence[PublicationRow]]) -> None:
        """Decide about the topics of all who are to have none.

        Args:
            rows: Their posts.
        """
        for identity_id, row in sorted(self._projection.actual.topics.items()):
            if identity_id in self._differences:
                continue
            theirs = rows.get(identity_id, ())
            goal = survivor(identity_id, self._projection.merged)
            found = None if goal is None else self._differences.get(goal)
            if row.state.is_there and found is not None:
                self._link(row, found, theirs)
            else:
                self._delete(row, theirs)

    def _delete(self, row: TopicRow, rows: Sequence[PublicationRow]) -> None:
        """Delete a topic with all posts in it, found or not."""
        identity_id, title = row.identity_id, row.title
        if row.state is OutboxState.PLANNED:
            return
        if row.state is OutboxState.REMOVING:
            self.unresolved.append(DeleteTopic(identity_id, title))
            return
        if row.state is OutboxState.SENDING:
            self.unresolved.append(FindTopic(identity_id, title, row))
        # Whoever is erased goes before anything else is done.
        erased = identity_id in self._projection.erased
        needed = frozenset(
            each.content_key
            for each in rows
            if not erased and each.state.is_there and self._is_needed(each.content_key)
        )
        if all([self._awaits(key) for key in sorted(needed)]):
            operation = DeleteTopic(identity_id, title, needed)
            (self.late if needed else self._deleted).append(operation)
        else:
            self.waiting += len(needed)

    def _link(self, row: TopicRow, found: Difference, rows: Sequence[PublicationRow]) -> None:
        """Empty the topic of somebody who was merged, let it point to the survivor, close it."""
        unwanted: list[PublicationRow] = []
        for each in rows:
            dismiss(self.unresolved, unwanted, each, row.title)
        self.settle(unwanted, row.title)
        goal = found.topic
        goal_id = goal.identity.identity_id
        if not self._points(row, goal_id, goal.title):
            link = LinkTopic(row.identity_id, row.title, goal_id, goal.title)
            self.links[goal_id].append(link)
        is_unsure = row.state is OutboxState.EDITING
        if not row.closed or is_unsure:
            title = row.title if is_unsure else None
            self.links[goal_id].append(EditTopic(row.identity_id, row.title, title, closed=True))

    def _points(self, row: TopicRow, goal_id: IdentityId, title: str) -> bool:
        goal = self._projection.actual.topics.get(goal_id)
        if goal is None or goal.topic_id is None or row.summary is None:
            return False
        text = pointer(self._projection.hub, title, goal.topic_id)
        return row.summary.state is OutboxState.SENT and row.summary.text == text


def batches(rows: Iterable[PublicationRow], titles: Mapping[IdentityId, str]) -> list[Operation]:
    """Delete posts in as few requests as there can be."""
    every = tuple(rows)
    return [
        DeletePosts(tuple(dict.fromkeys(titles[row.identity_id] for row in batch)), batch)
        for start in range(0, len(every), MAX_REMOVALS)
        if (batch := every[start : start + MAX_REMOVALS])
    ]
