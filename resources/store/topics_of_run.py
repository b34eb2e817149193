"""What belongs into hubs, read once for all hubs of a run.

What is in a hub, and who lives where, is read anew for each: one hub's run changes it for the next.
Whom hubs are to show is read again only where it matters. A decision of a person about people, an
erasure, a face that was found, a switch or a name of a chat that changed since is seen at once, and
so is that somebody else wrote to the hub, from what may be newer knowledge: no plan undoes that.
What is left to be late is a source that came or went, as while a long plan is carried out; every
send asks whether its chats may be shown, the next run follows, and nothing is older than a run of
the schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final, LiteralString

from psycopg import Connection

from archive.publishing import HubNo
from resources.store.database import Database
from resources.store.topics import People, TopicStore

FRESH_SECONDS: Final = 900.0
"""As long as a scheduled run writes (``Toolbox.run_budget``)."""

# Every change gives a row another version, which is named by its transaction; a person's decision
# gives those whom it is about a higher one of their own. Of chats most columns say how far they
# were read.
_MARKS: Final[LiteralString] = """
SELECT hubs.hub_no, concat_ws(' ', people.mark, sources.mark, (
    SELECT concat_ws(' ', count(*), sum(version), max(version)) FROM (
        SELECT xmin::text::bigint AS version FROM topics WHERE topics.hub_no = hubs.hub_no
        UNION ALL
        SELECT xmin::text::bigint FROM topic_summaries
        WHERE topic_summaries.hub_no = hubs.hub_no
        UNION ALL
        SELECT xmin::text::bigint FROM publications WHERE publications.hub_no = hubs.hub_no
    ) AS versions))
FROM hubs,
     (SELECT concat_ws(' ', count(*), sum(version), (SELECT count(*) FROM assignments)) AS mark
      FROM identities) AS people,
     (SELECT sum(hashtextextended(
          concat_ws(' ', chat_no, allow_publish, noforwards, is_hub, title), 0)) AS mark
      FROM chats) AS sources
"""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read of people, when, and which rows hubs had then."""

    people: People
    at: float
    marks: Mapping[HubNo, str]


class RunTopics(TopicStore):
    """Hubs, topics and publications, for one run.

    Args:
        database: Open and migrated.
        clock: Seconds that only go up.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(database)
        self._clock = clock
        self._reading: _Reading | None = None

    def _people(self, connection: Connection, hub_no: HubNo) -> People:
        """Read whom hubs are to show, unless that is known and serves this one."""
        now = self._clock()
        marks: dict[HubNo, str] = dict(connection.execute(_MARKS).fetchall())
        known = self._reading
        if (
            known is not None
            and now - known.at < FRESH_SECONDS
            and known.marks.get(hub_no) == marks.get(hub_no)
        ):
            return known.people
        people = super()._people(connection, hub_no)
        self._reading = _Reading(people, now, marks)
        return people
