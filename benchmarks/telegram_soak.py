"""`telegram.soak`: after any of hundreds of schedules of faults, nothing is missing or twice."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.claims import Measurement, claim, usable_cores
from benchmarks.soak.trial import Trial, no_faults, run_trial, schedule_of
from resources.logs import configure_logs
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate

SCHEDULES: Final = 200
_QUICK_SCHEDULES: Final = 20


@claim(
    "telegram.soak",
    title="schedules of random faults after which the archive differs from one without faults",
    unit="schedules",
    bar=0,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Run the seeds from 1 on; each that leaves a difference prints how to repeat it."""
    count = _QUICK_SCHEDULES if quick else SCHEDULES
    with (
        _server() as url,
        ProcessPoolExecutor(
            usable_cores(),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_Worker.start,
            initargs=(url,),
        ) as pool,
    ):
        trials = list(pool.map(_Worker.run, range(1, count + 1)))
    wrong = [trial for trial in trials if trial.wrong]
    for trial in wrong:
        print(trial.report(), file=sys.stderr)
    return Measurement((float(len(wrong)),), (), _detail(trials, wrong))


class FaultlessTrialWrong(RuntimeError):
    """Without any fault something is missing: there is nothing to compare with."""


class _Worker:
    """The state of a process that runs trials; an initializer can leave it nowhere else."""

    url: str
    faultless: Trial

    @classmethod
    def start(cls, server_url: str) -> None:
        configure_logs("CRITICAL", "console")
        name = f"soak_{uuid4().hex}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        cls.url = make_conninfo(server_url, dbname=name)
        migrate(cls.url)
        cls.faultless = run_trial(no_faults(), cls.url)

    @classmethod
    def run(cls, seed: int) -> Trial:
        # Here, not in `start`: what breaks an initializer is not told to anybody.
        if cls.faultless.wrong:
            raise FaultlessTrialWrong(cls.faultless.report())
        return run_trial(schedule_of(seed), cls.url).against(cls.faultless)


@contextmanager
def _server() -> Iterator[str]:
    # Outside of any private folder: the server of a root user is a user of its own.
    with tempfile.TemporaryDirectory(prefix="face-archive-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = EmbeddedPostgres(Path(name) / "data")
        try:
            yield server.archive_url
        finally:
            server.stop()


def _detail(trials: list[Trial], wrong: list[Trial]) -> str:
    seeds = ", ".join(str(trial.schedule.seed) for trial in wrong)
    struck = sum(trial.struck for trial in trials)
    unsaid = sum(trial.unsaid > 0 for trial in trials)
    messages = len(trials[0].picture["messages"])
    return (
        f"seeds 1 to {len(trials)}, generated chats of four kinds with {messages} messages and "
        f"{len(trials[0].picture['media'])} photos, some of them sent, edited and deleted "
        f"meanwhile, listener and reader cut off at random; {struck} faults met, "
        f"lost updates or too long differences in {unsaid} trials; "
        f"with a difference: {seeds or 'none'}"
    )
