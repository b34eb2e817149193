"""A newcomer's first sitting: a terminal, an empty folder, and at its end the first people."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo.photos import sample_photos
from cli.demo.stage import foreign_environment, own_settings
from telegram_sandbox import Scenario, ThreadedSandbox, run_in_thread
from tests.fixtures.running import COMMAND
from tests.fixtures.terminal import CTRL_C, terminal

PHONE = "+15550001"
PERSON = 3
PATIENCE = 240.0
ANSWERED = ("TG_API_ID", "TG_API_HASH", "FACE_ARCHIVE_DATA_DIR")


@pytest.fixture
def telegram() -> Iterator[ThreadedSandbox]:
    """A chat with photos of one person, and one that is nobody's business."""
    scenario = Scenario(seed=8)
    me = scenario.user("Nora", phone=PHONE)
    family = scenario.supergroup("Family", owner=me)
    for photo in sample_photos(random.Random(8), 3):
        if photo.person == PERSON:
            family.photo(me, photo.data)
    scenario.supergroup("Work", owner=me).text(me, "confidential")
    with run_in_thread(scenario) as sandbox:
        yield sandbox


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside pytest's folders: those are private, and the embedded server must not open them."""
    with tempfile.TemporaryDirectory(prefix="face-archive-init-", ignore_cleanup_errors=True) as it:
        Path(it).chmod(0o755)
        (Path(it) / "run").mkdir()
        yield Path(it)


def test_init_leads_from_nothing_to_people_and_goes_on_where_it_was_left(
    folder: Path, telegram: ThreadedSandbox
) -> None:
    settings = own_settings(folder, telegram)
    environment = {
        **foreign_environment(),
        **{name: value for name, value in settings.items() if name not in ANSWERED},
        "FACE_ARCHIVE_MIN_FACES": "2",
    }

    with terminal([COMMAND, "init"], folder, environment) as newcomer:
        newcomer.sees("Data folder", seconds=PATIENCE)
        newcomer.types(str(folder / "faces"))
        newcomer.sees("non-commercial research only")
        newcomer.types("n")
        newcomer.sees("Model [")
        newcomer.types("dlib")
        newcomer.sees("Source", seconds=PATIENCE)
        newcomer.types("account")
        newcomer.sees("api_id")
        newcomer.types("20")
        # The blank comes when nothing typed is shown any more, and what came before is dropped.
        newcomer.sees("api_hash (not shown): ")
        newcomer.types("demo")
        newcomer.sees("Phone", seconds=PATIENCE)
        newcomer.types(PHONE)
        newcomer.sees("Code")
        newcomer.types("12345")
        newcomer.sees("Which?", seconds=PATIENCE)
        newcomer.types(CTRL_C)
        newcomer.sees("Left at chats")
        assert newcomer.ends(seconds=PATIENCE) == 1

    with terminal([COMMAND, "init"], folder, environment) as newcomer:
        newcomer.sees("Which?", seconds=PATIENCE)
        newcomer.types("Family")
        newcomer.sees("minutes", seconds=PATIENCE)
        newcomer.sees("Archive these")
        newcomer.types("y")
        newcomer.sees("private group", seconds=PATIENCE)
        newcomer.types("n")
        newcomer.sees("The first people", seconds=PATIENCE)
        newcomer.sees("face-archive up")
        assert newcomer.ends(seconds=PATIENCE) == 0

    with terminal([COMMAND, "init"], folder, environment) as newcomer:
        newcomer.sees("Everything is set up, and 1 people were found", seconds=PATIENCE)
        assert newcomer.ends(seconds=PATIENCE) == 0

    requests = telegram.call(lambda sandbox: sandbox.state.requests)
    assert requests["auth.sendCode"] == 1
    assert requests["upload.getFile"] == 3
