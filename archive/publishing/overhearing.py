"""What was said in a hub while nobody listened: met when the hub is read back.

It is kept where the listener keeps what it hears and judged by ``archive.heeding``, so that it has
its effect once, whoever met it first. Titles given in the app are left to that, too: as long as
one waits there, the topic that has it is not put right. A look that goes on below where the last
one stopped reads the newest pages as well if a topic has a new title, to learn who gave it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archive.ids import TopicId, UserId
from archive.publishing.drift import Drift, Finding, SeenMessage, Sought
from archive.publishing.reading_ports import HubReading, RemarkKeeper
from archive.publishing.records import Hub

if TYPE_CHECKING:
    from archive.remarks import Remark


class Overhearing:
    """What one look at a hub met of what was said there.

    Args:
        keeper: Where it is kept.
        reader: Reads the hub, as its account.
        hub: Which.
        sought: Which topics are ours.
    """

    def __init__(self, keeper: RemarkKeeper, reader: HubReading, hub: Hub, sought: Sought) -> None:
        self._keeper = keeper
        self._reader = reader
        self._hub = hub
        self._titles = sought.titles
        self._met: dict[int, Remark] = {}

    def listen(self, page: Sequence[SeenMessage]) -> None:
        """Note what some messages say to us."""
        for message in page:
            if message.remark is not None and message.topic_id in self._titles:
                self._met[message.message_id] = message.remark

    def lacks(self, renamed: Sequence[Finding]) -> bool:
        """Whether some topic was given its title by nobody who was met."""
        said = {(each.topic_id, each.text.strip()) for each in self._met.values() if each.is_title}
        return not {_title(finding) for finding in renamed} <= said

    async def unheard(self) -> Sequence[Remark]:
        """Return what nobody heard before, in its order."""
        met = [self._met[message_id] for message_id in sorted(self._met)]
        return await asyncio.to_thread(self._keeper.unheard, self._hub.hub_no, met)

    async def keep(self, unheard: Sequence[Remark]) -> None:
        """Keep it; of others than ourselves, learn whether they have a say.

        Raises:
            Transient: Telegram did not say who has a say; what was said waits for it.
            Permanent: Telegram does not say it; likewise.
        """
        if not unheard:
            return
        await asyncio.to_thread(self._keeper.hear, self._hub, unheard)
        ourselves = UserId(self._hub.chat.account_id)
        if any(each.sender_id != ourselves for each in unheard):
            admins = await self._reader.admins(self._hub.chat)
            await asyncio.to_thread(self._keeper.save_admins, self._hub.hub_no, admins)

    async def unexplained(self, differing: Sequence[Finding]) -> list[Finding]:
        """Leave out the topics whose title waits to be judged, with all that differs in them."""
        waiting = await asyncio.to_thread(self._keeper.titles_waiting, self._hub.hub_no)
        judged_later = {
            finding.row
            for finding in differing
            if finding.drift is Drift.RENAMED and _title(finding) in waiting
        }
        return [finding for finding in differing if finding.row not in judged_later]

    def findings(self, unheard: Sequence[Remark]) -> list[Finding]:
        """Say which commands nobody heard; a title is told of by the topic that has it."""
        return [
            Finding(Drift.UNHEARD, self._titles[each.topic_id], message_id=each.message_id)
            for each in unheard
            if not each.is_title
        ]


def _title(finding: Finding) -> tuple[TopicId | None, str]:
    assert finding.row is not None
    assert finding.seen is not None
    return finding.row.topic_id, finding.seen.title.strip()
