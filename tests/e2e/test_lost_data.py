"""The sixteen ways in which archives of Telegram have lost data, each with a test by its number.

 1. kill -9 in the middle of a window         2. a page of 37 messages in the middle of a range
 3. the oldest and the newest id of a chat    4. an exception in one window of several
 5. the same message id and file in two chats 6. a truncated download
 7. a forum of many topics, equal titles      8. a private chat with a placeholder count
 9. a chat that protects its content         10. an export that is refused, or ends
11. names of senders                         12. a setting that changes nothing
13. publishing again                         14. an edit and a deletion after archiving
15. a checkpoint that runs ahead             16. a database error while people are matched

Those that are tested where their subject lives are named in ``ELSEWHERE``; the others are here. All
of them run the real Telethon against the loopback Telegram, and a real PostgreSQL.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from archive.chats import allow
from archive.errors import Permanent, Transient
from archive.history import plan_windows, read_window
from archive.records import Chat, Switches
from benchmarks.soak.clock import QuickLoop
from benchmarks.soak.stage import PHONE, archive_of, log_in
from benchmarks.soak.work import Worker, let_pass
from resources.store.database import Database
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox
from telegram_sandbox import ChatHandle, Message, Sandbox, Scenario, Upset, User
from telegram_sandbox.records import FileMedia
from tests.conftest import ROOT

T = TypeVar("T")

ELSEWHERE = {
    1: "e2e/test_kill.py::"
    "test_a_backfill_killed_ten_times_ends_with_the_same_rows_and_the_same_hub",
    2: "integration/telegram/test_windows.py::"
    "test_a_group_with_photos_is_stored_as_it_is_through_a_short_page",
    4: "defs/test_assets.py::test_a_window_that_fails_leaves_the_others_green",
    7: "integration/telegram/test_source_chats.py::"
    "test_topics_are_data_also_more_than_a_hundred_and_two_of_one_title",
    8: "integration/telegram/test_windows.py::"
    "test_a_private_chat_with_a_placeholder_count_is_read_whole",
    12: "integration/test_settings_effects.py::test_a_setting_changes_something",
    13: "integration/test_publishing.py::test_publishing_again_sends_nothing",
    16: "integration/store/test_people.py::test_a_database_that_breaks_off_founds_nobody",
}

# What a client asks for when it connects.
CONNECTING = {
    *("help.getConfig", "ping", "pingDelayDisconnect"),
    *("updates.getState", "updates.getDifference", "users.getUsers"),
}


def test_each_of_the_sixteen_ways_has_one_test() -> None:
    here = [int(n) for n in re.findall(r"^def test_way_(\d+)_", Path(__file__).read_text(), re.M)]
    assert sorted([*ELSEWHERE, *here]) == list(range(1, 17))
    for place in ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert re.search(rf"def {name}\(", (ROOT / "tests" / file).read_text()), place


@dataclass(frozen=True, slots=True)
class House:
    """An account with chats, and its archive.

    Attributes:
        me: Whose account it is.
        ben: Somebody else.
    """

    scenario: Scenario
    me: User
    ben: User
    sandbox: Sandbox
    toolbox: Toolbox
    worker: Worker
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def allow(self, *chats: ChatHandle) -> list[Chat]:
        """Let chats be archived, and plan their windows; nothing is read yet."""
        self.run(self.worker.allow([chat.id for chat in chats]))
        known = {chat.chat_id: chat for chat in self.toolbox.chats.list()}
        return [known[chat.id] for chat in chats]  # type: ignore[index]

    def read(self) -> None:
        """Do all that is due."""
        self.run(self.worker.rest())

    def read_once(self, chat: Chat) -> None:
        """Read a chat's newest window, without trying again."""

        async def read() -> None:
            async with self.toolbox.telegram(Lane.BACKFILL, chat.account_id) as account:
                await plan_windows(chat, account.history, self.toolbox.history)
                [newest, *_] = self.toolbox.chats.windows(chat.chat_no)
                await read_window(newest.window, account.history, self.toolbox.history)

        self.run(read())

    def live_ids(self, chat: Chat) -> list[int]:
        return [
            message_id
            for (message_id,) in self.rows(
                "SELECT message_id FROM messages WHERE chat_no = %s AND deleted_at IS NULL"
                " ORDER BY message_id",
                chat.chat_no,
            )
        ]

    def rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with self.toolbox.database.transaction() as connection:
            return connection.execute(question.encode(), values).fetchall()

    def asked(self, method: str) -> int:
        return self.sandbox.state.requests[method]


OpenHouse = Callable[..., AbstractContextManager[House]]


@pytest.fixture
def open_house(database: Database, tmp_path: Path) -> OpenHouse:
    """Makes a house; takes settings by their names in the environment."""

    @contextmanager
    def make(**settings: str) -> Iterator[House]:
        scenario = Scenario(seed=16)
        me = scenario.user("Ada", phone=PHONE)
        ben = scenario.user("Ben")
        with asyncio.Runner(loop_factory=QuickLoop) as runner:
            sandbox = runner.run(Sandbox(scenario).__aenter__())
            toolbox = archive_of(tmp_path, sandbox, database, **settings)
            worker = Worker(toolbox, runner.run(log_in(toolbox)))
            yield House(scenario, me, ben, sandbox, toolbox, worker, runner)
            runner.run(sandbox.__aexit__(None, None, None))
            assert sandbox.state.crashes + sandbox.state.unknown_requests == []

    return make


@pytest.fixture
def house(open_house: OpenHouse) -> Iterator[House]:
    with open_house() as house:
        yield house


def picture(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(buffer, "JPEG")
    return buffer.getvalue()


def size_of(message: Message) -> int:
    assert isinstance(message.media, FileMedia)
    assert message.media.file is not None
    return len(message.media.file.data)


def test_way_03_the_oldest_and_the_newest_message_of_each_chat_and_window_are_archived(
    house: House,
) -> None:
    group = house.scenario.supergroup("Family", owner=house.me, members=[house.ben])
    private = house.scenario.private_chat(house.me, house.ben)
    for gap in (9_998, 0, 9_998):
        group.skip_ids(gap)
        group.text(house.me, "at the edge of a window")
        private.text(house.ben, "oldest and newest")
        private.skip_ids(gap * 1_000)
    archived, ours = house.allow(group, private)

    house.read()

    assert house.live_ids(archived) == [1, 10_000, 10_001, 20_000]
    assert house.live_ids(ours) == [message.id for message in private.messages]


def test_way_05_two_chats_with_one_message_id_and_one_file_are_two_messages_and_one_content(
    house: House,
) -> None:
    one, other = (house.scenario.supergroup(name, owner=house.me) for name in ("One", "Other"))
    original = one.photo(house.me, picture("teal"))
    assert other.forward(house.me, original).id == original.id
    chats = house.allow(one, other)

    house.read()

    assert [house.live_ids(chat) for chat in chats] == [[1, original.id]] * 2
    assert house.rows("SELECT count(*), count(DISTINCT media_id) FROM message_media") == [(2, 1)]
    assert house.rows("SELECT count(*) FROM blobs") == [(1,)]
    assert house.asked("upload.getFile") == 1


def test_way_06_a_truncated_download_is_failed_never_done_and_comes_later(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    photo = group.photo(house.me, picture("teal"))
    [chat] = house.allow(group)
    house.read_once(chat)
    # As often as a part is asked for in one pass.
    house.sandbox.faults.truncate_chunk(100, times=3)

    [window] = [row.window for row in house.toolbox.chats.windows(chat.chat_no)]
    with pytest.raises(Transient, match="not done yet"):
        house.run(house.worker.look_at(window, Lane.BACKFILL))

    ledger = "SELECT state, error FROM media_products WHERE product = 'fingerprints'"
    [(state, error)] = house.rows(ledger)
    assert state == "failed"
    assert f"100 of {size_of(photo)} bytes" in error
    assert house.rows("SELECT count(*) FROM blobs") == [(0,)]

    let_pass(house.toolbox.database)
    house.read()
    assert house.rows(ledger) == [("done", None)]
    assert house.rows("SELECT size_bytes FROM blobs") == [(size_of(photo),)]


def test_way_09_a_chat_that_protects_its_content_is_archived_whole_and_never_published(
    open_house: OpenHouse,
) -> None:
    with open_house(FACE_ARCHIVE_USE_TAKEOUT="true") as house:
        channel = house.scenario.channel(
            "News", owner=house.ben, members=[house.me], noforwards=True
        )
        photo = channel.photo(house.ben, picture("plum"))
        [chat] = house.allow(channel)

        house.read()

        assert house.live_ids(chat) == [1, photo.id]
        assert house.rows("SELECT count(*) FROM blobs") == [(1,)]
        with pytest.raises(Permanent, match="forbids copying"):
            allow(chat, Switches(faces=True, publish=True), house.toolbox.chats)


@pytest.mark.parametrize("trouble", ["refused", "delayed", "ended in the middle"])
def test_way_10_without_an_export_the_history_is_read_plainly_and_whole(
    open_house: OpenHouse, trouble: str
) -> None:
    with open_house(FACE_ARCHIVE_USE_TAKEOUT="true") as house:
        group = house.scenario.supergroup("Family", owner=house.me)
        for number in range(330):
            group.text(house.me, f"line {number}")
        faults = house.sandbox.faults
        [chat] = house.allow(group)
        match trouble:
            case "refused":
                faults.error("account.initTakeoutSession", "USER_BOT_INVALID")
            case "delayed":
                faults.error("account.initTakeoutSession", "TAKEOUT_INIT_DELAY_86400")
            case _:
                faults.upset("messages.getHistory", Upset.END_TAKEOUTS, first=2)

        house.read()

        assert house.live_ids(chat) == [message.id for message in group.messages]
        assert house.asked("account.initTakeoutSession") == 1
        [(refused,)] = house.rows("SELECT refused_until IS NOT NULL FROM takeouts")
        assert refused


def test_way_11_names_of_senders_come_with_their_messages_and_cost_no_request(
    house: House,
) -> None:
    people = [house.scenario.user(f"Guest {number}") for number in range(40)]
    group = house.scenario.supergroup("Party", owner=house.me, members=people)
    for guest in people:
        group.text(guest, "hello")
    house.allow(group)
    before = house.sandbox.state.requests.copy()

    house.read()

    names = {name for (name,) in house.rows("SELECT first_name FROM users")}
    assert names >= {guest.first_name for guest in people}
    asked = house.sandbox.state.requests - before
    assert set(asked) - CONNECTING == {"messages.getHistory"}
    # On connecting it asks who it is itself.
    log = [each for each in house.sandbox.state.request_log if each.method == "users.getUsers"]
    assert {type(user).__name__ for each in log for user in each.request.id} == {"InputUserSelf"}


def test_way_14_an_edit_and_a_deletion_after_archiving_arrive_though_nobody_listened(
    house: House,
) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    private = house.scenario.private_chat(house.me, house.ben)
    sent = [(chat, [chat.text(house.me, "first") for _ in range(2)]) for chat in (group, private)]
    house.allow(group, private)
    house.run(house.worker.catch_up())
    house.read()
    for chat, (edited, deleted) in sent:
        chat.edit(edited, text="better")
        chat.delete(deleted)

    house.run(house.worker.catch_up())
    house.read()

    texts = "SELECT text, deleted_at IS NOT NULL FROM messages WHERE text <> '' ORDER BY 1"
    assert house.rows(texts) == [("better", False)] * 2 + [("first", True)] * 2
    assert house.rows("SELECT text FROM message_versions") == [("first",)] * 2


def test_way_15_no_checkpoint_is_ahead_of_what_is_stored(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    for number in range(330):
        group.text(house.me, f"line {number}")
    [chat] = house.allow(group)
    # The third page does not come, however often it is asked for.
    house.sandbox.faults.error("messages.getHistory", "INTERNAL_SERVER_ERROR", first=4, times=4)

    with pytest.raises(Transient):
        house.read_once(chat)

    [(cursor, watermark, read_at)] = house.rows("SELECT cursor_id, watermark, read_at FROM windows")
    ids = [message.id for message in group.messages]
    assert house.live_ids(chat) == [each for each in ids if each >= cursor]
    assert 0 < len(house.live_ids(chat)) < len(ids)
    assert (watermark, read_at) == (0, None)

    house.sandbox.faults.clear()
    house.read()
    assert house.live_ids(chat) == ids
