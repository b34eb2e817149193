"""kill -9 in the middle of carrying a correction to the hub costs time and nothing else.

The process is the real command; the correction is made before it, as a person makes it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from archive.correcting import Act, hide, merge, reject, split
from archive.ids import FaceId, IdentityId
from archive.publishing import plan
from cli.demo.scenario import PHONE, DemoWorld
from resources.store.corrections import CorrectionStore
from resources.telegram.sessions import Lane
from telegram_sandbox import Sandbox, Scenario
from tests.fixtures.installation import Install, Installation
from tests.fixtures.kills import Moment, Request, RowWritten, Worker
from tests.integration.publishing_rows import Rows
from tests.integration.publishing_stage import picture, seen, store_photos

pytestmark = pytest.mark.timeout(240)

COMMAND = [sys.executable, "-c", "from cli.app import main; main()", "publish", "apply"]
ME = Act("somebody", "a test")
PHOTOS = 6
# Near copies of each other are 1 and 4; nobody's pictures are both.
PEOPLE = {1: (1, 2, 3), 2: (3, 5), 3: (6,), 4: (1, 6), 5: (2, 5), 6: (3, 6)}


@dataclass
class Archive:
    """An installation whose people were written into it, and who corrects them."""

    installation: Installation
    rows: Rows

    def face(self, person: int, content: int) -> FaceId:
        ((face_id,),) = self.rows.run(
            "SELECT face_id FROM assignments JOIN faces USING (face_id) "
            "WHERE identity_id = %s AND content_key = %s",
            UUID(int=person),
            f"sha256:{content:064x}",
        )
        return FaceId(face_id)

    def merge(self) -> None:
        with CorrectionStore(self.rows.database).correcting() as desk:
            merge(desk, [who(2)], who(1), ME)

    def split(self) -> None:
        face = self.face(4, 1)
        with CorrectionStore(self.rows.database).correcting() as desk:
            split(desk, who(4), [face], ME)

    def rename(self) -> None:
        self.rows.run("UPDATE identities SET label = 'Zoe' WHERE number = 3")

    def reject(self) -> None:
        face = self.face(5, 2)
        with CorrectionStore(self.rows.database).correcting() as desk:
            reject(desk, [face], who(5), ME)

    def hide(self) -> None:
        with CorrectionStore(self.rows.database).correcting() as desk:
            hide(desk, [who(5)], ME)

    def erase(self) -> None:
        self.rows.run("DELETE FROM assignments WHERE identity_id = %s", who(6))
        self.rows.run("UPDATE identities SET state = 'erased' WHERE number = 6")

    @property
    def worker(self) -> Worker:
        return Worker(COMMAND, self.installation)

    def left(self) -> list[str]:
        (hub,) = self.installation.toolbox.hubs()
        return plan(self.installation.toolbox.topics, hub, now=datetime.now(UTC)).lines()

    def pictures(self) -> dict[str, list[bytes]]:
        """What each topic shows, its colour left out; nothing twice."""
        topics = self.installation.telegram.call(self._seen)
        shown = {
            title: [data for _, data, _ in messages if data is not None]
            for title, messages in topics.items()
        }
        for title, each in shown.items():
            assert len(each) == len(set(each)), f"a picture twice in {title}"
        return shown

    def _seen(self, sandbox: Sandbox) -> dict[str, list[tuple[str, bytes | None, bool]]]:
        topics = seen(sandbox.state.chat(self.installation.hub_id))
        return {_without_color(title): messages for title, messages in topics.items()}


def _without_color(title: str) -> str:
    name, _, rest = title.removesuffix(" closed").rpartition(" ")
    assert rest
    return f"{name} closed" if title.endswith(" closed") else name


def who(number: int) -> IdentityId:
    return IdentityId(UUID(int=number))


@pytest.fixture(scope="module")
def archive(install: Install) -> Iterator[Archive]:
    scenario = Scenario(seed=3)
    nora = scenario.user("Nora", phone=PHONE)
    family = scenario.supergroup("Family", owner=nora)
    for number in range(1, PHOTOS + 1):
        family.photo(nora, picture(number))
    with install(DemoWorld(scenario, (family.id,))) as installation:
        installation.set_up()
        found = asyncio.run(_written(installation))
        assert found.worker.run() == 0
        yield found


async def _written(installation: Installation) -> Archive:
    """Write what looking at the photos would have found."""
    toolbox = installation.toolbox
    (chat,) = toolbox.chats.allowed()
    rows = Rows(toolbox.database, chat.account_id)
    async with toolbox.telegram(Lane.LIVE, chat.account_id) as telegram:
        store_photos(rows, await telegram.history.page(chat, offset_id=0), chat.chat_no)
    for number, contents in PEOPLE.items():
        rows.person(number)
        for content in contents:
            rows.face(content, number)
    return Archive(installation, rows)


KILLS: dict[str, tuple[Callable[[Archive], None], list[Moment]]] = {
    "merge": (
        Archive.merge,
        [Request("channels.deleteMessages", 1), Request("messages.sendMedia", 1)],
    ),
    "split": (Archive.split, [Request("messages.createForumTopic", 1)]),
    "rename": (Archive.rename, [Request("messages.editForumTopic", 1, has_effect=False)]),
    "reject": (Archive.reject, [Request("channels.deleteMessages", 1)]),
    "hide": (Archive.hide, [RowWritten("topics", 1)]),
    "erase": (Archive.erase, [Request("messages.deleteTopicHistory", 1)]),
}


@pytest.mark.parametrize("correction", KILLS)
def test_a_correction_whose_process_was_killed_arrives_with_the_next(
    archive: Archive, correction: str
) -> None:
    correct, moments = KILLS[correction]
    correct(archive)
    assert archive.left()
    for moment in moments:
        assert archive.worker.run_until(moment) == -signal.SIGKILL, f"{moment} did not come"
        archive.pictures()
    assert archive.worker.run() == 0
    assert archive.left() == []
    assert archive.pictures()


def test_after_all_of_them_the_hub_shows_what_the_archive_says(archive: Archive) -> None:
    number = {picture(each): each for each in range(1, PHOTOS + 1)}
    shown = {
        title: sorted(number[each] for each in pictures)
        for title, pictures in archive.pictures().items()
    }
    assert shown == {
        "Person 1": [1, 2, 3, 5],
        "Person 2 closed": [],
        "Zoe": [6],
        "Person 4": [6],
        "Person 5 closed": [5],
        "Person 7": [1],
    }
