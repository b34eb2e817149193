"""A published hub in which people talk, and the listener that hears them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from archive.heeding import heed
from archive.identity.events import (
    DecidedBy,
    Decision,
    EventKind,
    Membership,
    Register,
    Write,
    beginning,
    face_cell,
    identity_cell,
)
from archive.ids import IdentityId, new_decision_id
from archive.publishing import Hub
from archive.records import Counts
from resources.settings import Settings
from resources.store.database import Database
from resources.store.identity_events import append
from resources.toolbox import Toolbox
from sensors.ear import listening
from telegram_sandbox import Message, User
from telegram_sandbox.records import Member, Topic
from tests.integration.publishing_rows import Rows
from tests.integration.publishing_stage import Stage, stage

ONE, TWO, MIA = (IdentityId(UUID(int=number)) for number in (1, 2, 3))


SETUP = "set up"


def log_people(rows: Rows) -> None:
    """Write the log that those who are in the store would have come from."""
    faces: dict[UUID, list[Write]] = defaultdict(list)
    for face_id, whose in rows.run("SELECT face_id, identity_id FROM assignments"):
        membership = Membership(whose, 1.0, DecidedBy.MATCHER)
        faces[whose].append(Write(face_cell(face_id), membership))
    people = rows.run("SELECT identity_id, number, label FROM identities ORDER BY number")
    decisions = []
    for whose, number, label in people:
        writes = [beginning(whose, number, "m"), *faces[whose]]
        if label is not None:
            writes.append(Write(identity_cell(Register.LABEL, whose), label))
        kind = EventKind.FOUND
        decisions.append(Decision(new_decision_id(), kind, SETUP, "a test", tuple(writes)))
    with rows.database.transaction() as connection:
        append(connection, decisions)


@dataclass
class Talk:
    """A hub of three people.

    Attributes:
        eve: A member who is no admin.
    """

    house: Stage
    hub: Hub
    toolbox: Toolbox
    eve: User

    def topic(self, title: str) -> Topic:
        (found,) = [each for each in self.house.people.topics if each.title == title]
        return found

    def titles(self) -> set[str]:
        return {each.title for each in self.house.people.topics if each.id != 1}

    def say(self, who: User, topic: Topic, text: str, **options: Any) -> Message:
        return self.house.people.text(who, text, topic=topic, **options)

    def said_in(self, topic: Topic) -> list[str]:
        """What we said there, summaries left out."""
        return [
            message.text
            for message in self.house.people.messages
            if message.topic_id == topic.id and message.text.startswith("✗")
        ]

    async def hear(self) -> None:
        """Listen until everything that was said by now is stored."""
        async with listening(self.toolbox, self.house.account.account.account_id) as ear:
            await ear.catch_up()

    async def heed(self) -> Counts:
        """Hear what was said, and let it have its effect."""
        await self.hear()
        return heed(self.toolbox.remarks, self.toolbox.register)

    async def publish(self) -> None:
        """Publish, and see that nothing is left to do then."""
        await self.house.publish(self.hub)
        assert (await self.house.publish(self.hub)).done == 0

    def labels(self) -> dict[int, str | None]:
        rows = self.house.rows.run("SELECT number, label FROM identities ORDER BY number")
        return dict(rows)  # type: ignore[arg-type]

    def decisions(self) -> list[tuple[str, str]]:
        """Kind and actor of every decision since, in order."""
        rows = self.house.rows.run(
            "SELECT kind, actor FROM identity_events WHERE actor <> %s "
            "GROUP BY decision_id, kind, actor ORDER BY min(event_id)",
            SETUP,
        )
        return [(kind, actor) for kind, actor in rows]

    def kept(self) -> list[tuple[str, str | None]]:
        """Kind and words of every remark that is stored."""
        rows = self.house.rows.run("SELECT kind, text FROM hub_remarks ORDER BY remark_id")
        return [(kind, text) for kind, text in rows]


@asynccontextmanager
async def talk(database: Database, folder: Path) -> AsyncIterator[Talk]:
    """Publish the stage's people; from then on its hub is listened to. Bob is an admin there."""
    async with stage(database, folder) as house:
        people = house.people.record
        bob, eve = house.bob, house.scenario.user("Eve")
        people.members[bob.id] = Member(bob, people.date, admin_rights=frozenset({"manage_topics"}))
        people.members[eve.id] = Member(eve, people.date)
        log_people(house.rows)
        hub = house.hub(house.people)
        await house.publish(hub)
        key = folder / "server.pem"
        key.write_text(house.sandbox.public_key_pem, encoding="ascii")
        settings = Settings(
            data_dir=folder,
            tg_api_id=1,
            tg_api_hash="hash-of-the-application",
            telegram_server=f"{house.sandbox.host}:{house.sandbox.port}",
            telegram_server_key=key,
        )
        found = Talk(house, hub, Toolbox(settings, database), eve)
        await found.hear()
        yield found
