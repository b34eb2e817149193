"""One trial: an empty archive, a story, a schedule of faults; and whether anything is missing."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from psycopg import sql

from benchmarks.soak.clock import SPEED, QuickLoop
from benchmarks.soak.picture import Picture, differences, errors_of, picture_of
from benchmarks.soak.stage import archive_of, log_in
from benchmarks.soak.story import Act, first_acts, later_acts, play, tell
from benchmarks.soak.work import Life, Worker, let_pass
from resources.store.database import Database
from resources.toolbox import Toolbox
from sensors.listener import listen
from telegram_sandbox import FaultSchedule, Sandbox
from telegram_sandbox.schedule import KINDS
from telegram_sandbox.update_faults import Mishap

# After these a person has to log in.
_NOT_DRAWN: Final = frozenset({"logged_out"})
_ANY: Final = KINDS.keys() - _NOT_DRAWN

_UNSAID: Final = frozenset({"difference_too_long", "lost_update", "updates_too_long"})
"""After these Telegram does not say by itself what happened."""

_DRAWS: Final = ((6, 30, _ANY), (8, 6, _ANY), (3, 3, _UNSAID))
"""How many faults, in how many first calls of their method or pushes, of which kinds: a trial reads
some thirty pages and twice as many files, but asks for a handful of differences only."""

_DEATH: Final = 0.15
"""How likely it is that the listener is cut off before an act, and is not there for it; the reader
likewise. Without a clean stop: a task that is cancelled in the middle."""

_LONGEST_SECONDS: Final = 120.0
_LOOK_AGAIN_SECONDS: Final = 0.1
_FILE_DC: Final = 4
_TABLES: Final = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'schema_migrations'
"""


Deaths = Mapping[str, frozenset[int]]
"""Of the listener and the reader: the acts for which each is not there."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a trial ended.

    Attributes:
        struck: How many faults met a request or a push.
        unsaid: How many of them left it to us to find out what happened.
        wrong: What is missing, too much or twice, a line each; and what broke.
    """

    schedule: FaultSchedule
    picture: Picture
    struck: int
    unsaid: int
    wrong: tuple[str, ...]

    def against(self, faultless: Trial) -> Trial:
        """Return this with what differs from a trial without faults."""
        return replace(self, wrong=(*self.wrong, *differences(self.picture, faultless.picture)))

    def report(self) -> str:
        """Say what went wrong and how to repeat it."""
        return "\n".join([str(self.schedule), *self.wrong[:40], "", repr(self.schedule)])


def schedule_of(seed: int) -> FaultSchedule:
    """Draw the schedule of a seed."""
    drawn = [
        FaultSchedule.random(len(_DRAWS) * seed + number, count=count, calls=calls, kinds=kinds)
        for number, (count, calls, kinds) in enumerate(_DRAWS)
    ]
    return FaultSchedule(seed, tuple(rule for schedule in drawn for rule in schedule))


def deaths_of(seed: int | None, part: int, acts: int) -> Deaths:
    """Draw during which acts nobody listens or nobody reads; never without a seed."""
    if seed is None:
        return dict.fromkeys(("listener", "reader"), frozenset())
    rng = random.Random(2 * seed + part)
    return {
        name: frozenset(each for each in range(1, acts) if rng.random() < _DEATH)
        for name in ("listener", "reader")
    }


def no_faults() -> FaultSchedule:
    """Give the schedule of the trial that all others are compared with."""
    return FaultSchedule(None, ())


def run_trial(schedule: FaultSchedule, database_url: str) -> Trial:
    """Run a schedule in a migrated database, which is emptied first."""
    with (
        TemporaryDirectory(prefix="face-archive-soak-") as folder,
        asyncio.Runner(loop_factory=QuickLoop) as runner,
    ):
        return runner.run(_trial(schedule, database_url, Path(folder)))


async def _trial(schedule: FaultSchedule, database_url: str, folder: Path) -> Trial:
    story = tell()
    async with Sandbox(story.scenario, file_dc=_FILE_DC) as sandbox:
        with Database(database_url) as database:
            empty(database)
            use_takeout = str(bool((schedule.seed or 0) % 2)).lower()
            toolbox = archive_of(folder, sandbox, database, FACE_ARCHIVE_USE_TAKEOUT=use_takeout)
            account_id = await log_in(toolbox)
            sandbox.faults.follow(schedule)
            wrong: list[str] = []
            try:
                async with asyncio.timeout(_LONGEST_SECONDS * SPEED):
                    worker = Worker(toolbox, account_id)
                    await worker.allow([chat.id for chat in story.chats])
                    for part, acts_of in enumerate((first_acts, later_acts)):
                        await _go_on(toolbox, sandbox, worker, acts_of(story), part, schedule.seed)
                    wrong += errors_of(toolbox.database, story)
            # Whatever ends a trial early is its result: the seed must be printed all the same.
            except Exception as error:
                wrong.append("".join(traceback.format_exception(error)))
            wrong += sandbox.state.crashes + sandbox.state.unknown_requests
            picture = picture_of(toolbox.database, story)
            return Trial(schedule, picture, *_struck(sandbox), tuple(wrong))


def _struck(sandbox: Sandbox) -> tuple[int, int]:
    """Count the faults that met something, and those among them of which nobody speaks."""
    requests, pushes = sandbox.faults.struck, sandbox.faults.updates.struck
    too_long = sum(fault.too_long for _, fault in requests)
    lost = sum(mishap in {Mishap.LOST, Mishap.TOO_LONG} for mishap in pushes)
    return len(requests) + len(pushes), too_long + lost


async def _go_on(
    toolbox: Toolbox,
    sandbox: Sandbox,
    worker: Worker,
    acts: Sequence[Act],
    part: int,
    seed: int | None,
) -> None:
    """Let things happen while somebody listens and reads, and dies of it; then rest."""
    deaths = deaths_of(seed, part, len(acts))
    stop = asyncio.Event()
    lives = {
        "listener": Life(lambda: listen(toolbox, worker.account_id, stop)),
        "reader": Life(lambda: worker.go_on(stop)),
    }
    try:
        for number, act in enumerate(acts):
            await _some_requests(sandbox)
            for name, life in lives.items():
                await (life.end() if number in deaths[name] else life.begin())
            await play(sandbox, act, 100 * part + number)
    finally:
        stop.set()
        await asyncio.gather(*(life.last() for life in lives.values()))
    while True:
        await worker.catch_up()
        # Media whose reader died are asked for some minutes later.
        let_pass(toolbox.database)
        if worker.is_at_rest:
            return
        await worker.rest()


async def _some_requests(sandbox: Sandbox) -> None:
    """Wait until somebody asked for something, or nobody does."""
    counts = sandbox.state.requests
    goal = counts.total() + 4
    for _ in range(10):
        if counts.total() >= goal:
            return
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def empty(database: Database) -> None:
    """Empty every table of an archive."""
    with database.transaction() as connection:
        names = [sql.Identifier(name) for (name,) in connection.execute(_TABLES)]
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)))
