"""Backfill and live updates of chats that never fall silent, either side killed again and again."""

from __future__ import annotations

import io
import random
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from archive.chats import deny
from archive.records import Switches
from cli.demo.scenario import PHONE, DemoWorld
from telegram_sandbox import ChatHandle, Message, Scenario, ThreadedSandbox, User
from telegram_sandbox.records import FileMedia
from tests.fixtures.installation import Install, Installation
from tests.fixtures.kills import Moment, Request, RowWritten, Worker
from tests.fixtures.waiting import until

pytestmark = pytest.mark.timeout(600)

SEED = 11
WINDOW_WIDTH = 10_000
LISTENER = [sys.executable, "-m", "sensors.listener"]
READER = [sys.executable, str(Path(__file__).with_name("reading_process.py"))]

_STORED = """
SELECT message_id, text, media_id IS NOT NULL
FROM messages LEFT JOIN message_media USING (chat_no, message_id)
WHERE chat_no = %s AND deleted_at IS NULL
"""
_WAITING = "SELECT count(*) FROM inbox WHERE applied_at IS NULL"
_FILES = """
SELECT (SELECT count(*) FROM message_media JOIN messages USING (chat_no, message_id)
        WHERE deleted_at IS NULL),
       (SELECT count(*) FROM media_products WHERE product = 'fingerprints' AND state <> 'done')
"""


# Messages know their chats and chats their messages: to print them would never end.
@dataclass(repr=False)
class Town:
    """Two chats, one of each kind of numbering, and people who never stop talking in them."""

    world: DemoWorld
    chats: tuple[ChatHandle, ...]
    people: list[User]
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))
    numbers: Iterator[int] = field(default_factory=count)
    said: list[tuple[ChatHandle, Message]] = field(default_factory=list)

    def something_happens(self, telegram: ThreadedSandbox) -> None:
        """Send, edit or delete a message, in a random chat."""
        chat = self.rng.choice(self.chats)
        sender = self.rng.choice(self.people)
        text = f"number {next(self.numbers)}"
        drawn = self.rng.random()
        if drawn < 0.6 or not self.said:
            self.said.append((chat, telegram.post(chat, lambda chat: chat.text(sender, text))))
        elif drawn < 0.7:
            telegram.post(chat, lambda chat: chat.photo(sender, picture(text)))
        elif drawn < 0.85:
            chat, message = self.rng.choice(self.said)
            telegram.post(chat, lambda chat: chat.edit(message, text=text))
        else:
            chat, message = self.said.pop(self.rng.randrange(len(self.said)))
            telegram.post(chat, lambda chat: chat.delete(message))


@pytest.fixture
def town() -> Town:
    scenario = Scenario(seed=SEED)
    owner = scenario.user("Nora", phone=PHONE)
    friend = scenario.user("Ben")
    group = scenario.supergroup("Family", owner=owner, members=[friend])
    private = scenario.private_chat(owner, friend)
    for window in range(3):
        group.skip_ids(window and WINDOW_WIDTH)
        for number in range(150):
            group.text(friend, f"long ago {window} {number}")
    for number in range(150):
        private.text(friend, f"long ago {number}")
    return Town(DemoWorld(scenario, (group.id, private.id)), (group, private), [owner, friend])


def picture(text: str) -> bytes:
    """Draw a picture that no other text has."""
    color = tuple(random.Random(text).randbytes(3))
    buffer = io.BytesIO()
    Image.new("RGB", (48, 32), color).save(buffer, "JPEG")
    return buffer.getvalue()


@contextmanager
def never_silent(town: Town, telegram: ThreadedSandbox) -> Iterator[None]:
    """Let things happen for the length of the body."""
    enough = threading.Event()

    def talk() -> None:
        while not enough.wait(0.05):
            town.something_happens(telegram)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


@contextmanager
def running(worker: Worker) -> Iterator[None]:
    """Run a side undisturbed for the length of the body; its end is a kill -9 too."""
    process = worker.start()
    try:
        yield
        assert process.poll() is None, f"{worker.command} ended by itself"
    finally:
        worker.kill()
        process.wait()


def moments(rng: random.Random) -> list[tuple[list[str], Moment]]:
    """Draw the deaths of both sides, in a random order."""
    hearing: list[Moment] = [
        RowWritten("heard_chats", rng.randint(1, 3)),
        RowWritten("update_state", rng.randint(2, 9)),
        RowWritten("inbox", rng.randint(1, 30)),
        Request("updates.getDifference", 1, has_effect=rng.random() < 0.5),
        Request("messages.getPeerDialogs", 1),
    ]
    reading: list[Moment] = [
        Request("messages.getHistory", rng.randint(2, 4)),
        RowWritten("messages", rng.randint(1, 50)),
        RowWritten("windows", rng.randint(1, 8)),
        RowWritten("media_products", rng.randint(1, 5)),
        Request("channels.getMessages", 1),
    ]
    drawn = [(LISTENER, each) for each in hearing] + [(READER, each) for each in reading]
    rng.shuffle(drawn)
    return drawn


def in_telegram(installation: Installation, chat: ChatHandle) -> list[tuple[int, str, bool]]:
    return installation.telegram.call(
        lambda sandbox: sorted(
            (each.id, each.text, isinstance(each.media, FileMedia)) for each in chat.messages
        )
    )


def in_store(installation: Installation, chat: ChatHandle) -> list[tuple[int, str, bool]]:
    toolbox = installation.toolbox
    (known,) = [each for each in toolbox.chats.allowed() if each.chat_id == chat.id]
    with toolbox.database.transaction() as connection:
        return sorted(connection.execute(_STORED, (known.chat_no,)).fetchall())


def numbers(installation: Installation, statement: str) -> tuple[int, ...]:
    with installation.toolbox.database.transaction() as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return tuple(row)


def set_up(installation: Installation) -> None:
    """Allow the chats to be archived; faces would only take time here."""
    installation.set_up()
    for chat in installation.toolbox.chats.allowed():
        deny(chat, Switches(faces=True), installation.toolbox.chats)


def test_no_message_edit_or_deletion_is_missing_or_double_after_any_kill_of_either_side(
    install: Install, town: Town
) -> None:
    with install(town.world) as installation:
        set_up(installation)
        with never_silent(town, installation.telegram):
            for command, moment in moments(random.Random(SEED)):
                other = READER if command is LISTENER else LISTENER
                with running(Worker(other, installation)):
                    code = Worker(command, installation).run_until(moment)
                    assert code == -signal.SIGKILL, f"{moment} did not come"

        with running(Worker(LISTENER, installation)), running(Worker(READER, installation)):
            for chat in town.chats:
                until(
                    lambda chat=chat: (
                        in_store(installation, chat) == in_telegram(installation, chat)
                    ),
                    "the store to be what Telegram is",
                    seconds=60,
                )
            until(lambda: numbers(installation, _WAITING) == (0,), "the inbox", seconds=60)

        assert len(town.said) > 100
        photos = sum(
            has_file for chat in town.chats for *_, has_file in in_store(installation, chat)
        )
        assert numbers(installation, _FILES) == (photos, 0)
