"""Names given in the app and here, in every order in which they can cross: one of them stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.correcting import Act, rename
from archive.heeding import heed
from archive.ids import AccountId, ChatNo, IdentityId, MessageId, TopicId, UserId
from archive.listening import Heard
from archive.media_pass.ports import MediaSource
from archive.publishing import Hub, PublishResult, no_pace, publish
from archive.publishing.wanted import topic_title
from archive.records import Chat
from archive.remarks import Remark, RemarkKind
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.inbox import InboxStore
from resources.store.register import RegisterStore
from resources.store.remarks import RemarkStore
from resources.store.topics import TopicStore
from tests.fakes.hub import Died, MemoryHub
from tests.integration.hub_talk import log_people
from tests.integration.publishing_rows import ACCOUNT, Rows

BOB, STRANGER = UserId(77), UserId(78)
HUB = 9
_NAMES = ("Ada", "Grace", "Person 1")
_ACTS = (
    *("typed Ada", "typed Grace", "typed Person 1", "named Ada", "named Grace"),
    *("meddled Eve", "hear", "heed"),
)
_CROSSING = st.lists(st.sampled_from(_ACTS), max_size=3)


@dataclass
class TalkingHub(MemoryHub):
    """A hub that tells of new titles as Telegram does, and lets things happen around an edit."""

    told: list[Remark] = field(default_factory=list)
    before_edit: Callable[[], None] = lambda: None
    after_edit: Callable[[], None] = lambda: None

    async def edit_topic(
        self, hub: Chat, topic_id: TopicId, *, title: str | None = None, closed: bool | None = None
    ) -> None:
        self.before_edit()
        before = self.topics_[topic_id].title
        try:
            await super().edit_topic(hub, topic_id, title=title, closed=closed)
        finally:
            if self.topics_[topic_id].title != before:
                self.tell(topic_id, UserId(ACCOUNT))
            self.after_edit()

    def tell(self, topic_id: TopicId, sender: UserId) -> None:
        self.told.append(
            Remark(
                self.chat.chat_id,
                topic_id,
                MessageId(next(self._ids)),
                sender,
                RemarkKind.TITLE,
                self.topics_[topic_id].title,
                datetime.now(UTC).replace(microsecond=0),
            )
        )


class Crossing:
    """One person, one hub, and whatever happens to their name."""

    def __init__(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute("TRUNCATE accounts, models, identities, blobs, media CASCADE")
        rows = Rows(database)
        rows.chat(1)
        rows.chat(HUB, is_hub=True)
        self.whom = IdentityId(rows.person(1))
        rows.shown(1, 1)
        log_people(rows)
        self.store = TopicStore(database)
        self.hub: Hub = self.store.use(ChatNo(HUB))
        self.telegram = TalkingHub(self.hub.chat)
        self.corrections = CorrectionStore(database)
        self.inbox, self.remarks = InboxStore(database), RemarkStore(database)
        self.register = RegisterStore(database)
        self.publish()

    @property
    def topic_id(self) -> TopicId:
        (found,) = self.telegram.topics_
        return found

    @property
    def titles(self) -> tuple[str, str, str]:
        """As the hub shows it, as it is recorded, and as it should be."""
        (row,) = self.store.projection(self.hub.hub_no).actual.topics.values()
        with self.corrections.correcting() as desk:
            person = desk.person(self.whom)
        assert person is not None
        return self.telegram.topics_[self.topic_id].title, row.title, topic_title(person.identity)

    def act(self, what: str) -> None:
        verb, _, name = what.partition(" ")
        match verb:
            case "typed" | "meddled":
                self.telegram.topics_[self.topic_id].title = name
                self.telegram.tell(self.topic_id, BOB if verb == "typed" else STRANGER)
            case "named":
                with self.corrections.correcting() as desk:
                    rename(desk, self.whom, name, Act("somebody", "a test"))
            case "hear" if self.telegram.told:
                heard = Heard(remarks=(self.telegram.told.pop(0),))
                self.inbox.keep(AccountId(ACCOUNT), heard)
                self.remarks.save_admins(self.hub.hub_no, {BOB})
            case "heed":
                heed(self.remarks, self.register)

    def publish(self) -> PublishResult:
        return asyncio.run(
            publish(self.store, self.telegram, cast(MediaSource, None), self.hub, pace=no_pace)
        )

    def publish_crossing(self, before: list[str], after: list[str], *, dies: bool) -> None:
        """Publish while other things happen right before and after a title is given."""
        self.telegram.before_edit = lambda: self._happen(before)
        self.telegram.after_edit = lambda: self._happen(after)
        if dies:
            self.telegram.dies = (self.telegram.writes + 1, True)
        try:
            self.publish()
        except Died:
            pass
        finally:
            self.telegram.dies = None
            self.telegram.before_edit = self.telegram.after_edit = lambda: None

    def _happen(self, acts: list[str]) -> None:
        while acts:
            self.act(acts.pop(0))

    def come_to_rest(self) -> int:
        """Hear, heed and publish until nothing is left; says how often that took."""
        for round_ in range(1, 20):
            while self.telegram.told:
                self.act("hear")
            self.act("heed")
            if not self.publish().done and not self.telegram.told:
                return round_
        raise AssertionError("it goes on for ever")


_STEP = st.one_of(
    st.sampled_from(_ACTS),
    st.builds(
        lambda before, after, dies: (before, after, dies), _CROSSING, _CROSSING, st.booleans()
    ),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(_STEP, max_size=8))
def test_whatever_crosses_what_the_hub_comes_to_say_what_the_archive_says(
    database: Database, steps: list[str | tuple[list[str], list[str], bool]]
) -> None:
    crossing = Crossing(database)
    for step in steps:
        if isinstance(step, str):
            crossing.act(step)
        else:
            before, after, dies = step
            crossing.publish_crossing(list(before), list(after), dies=dies)

    assert crossing.come_to_rest() <= 4
    shown, recorded, wanted = crossing.titles
    assert shown == recorded == wanted
    assert wanted in _NAMES


def test_a_name_typed_while_ours_is_under_way_is_the_one_that_stays(database: Database) -> None:
    for before, after in (["typed Grace"], []), ([], ["typed Grace"]):
        crossing = Crossing(database)
        crossing.act("named Ada")
        crossing.publish_crossing(list(before), list(after), dies=False)
        crossing.come_to_rest()
        assert set(crossing.titles) == {"Grace"}
