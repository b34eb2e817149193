"""Whatever goes wrong by a seed, the archive ends like one to which nothing happened.

The long version is the benchmark ``telegram.soak``. A seed that fails prints its schedule; alone it
is repeated by ``pytest tests/e2e/test_soak.py -k "seed-7"``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg.conninfo import make_conninfo

from benchmarks.soak.trial import Trial, no_faults, run_trial, schedule_of
from resources.store.embedded import EmbeddedPostgres
from tests.fixtures.postgres import fresh_database

SEEDS = range(1, 13)


@pytest.fixture(scope="module")
def soak_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    with fresh_database(postgres) as name:
        yield make_conninfo(postgres.archive_url, dbname=name)


@pytest.fixture(scope="module")
def faultless(soak_url: str) -> Trial:
    return run_trial(no_faults(), soak_url)


def test_without_faults_the_archive_holds_what_is_in_the_chats(faultless: Trial) -> None:
    assert faultless.wrong == ()
    assert len(faultless.picture["messages"]) > 300
    assert len(faultless.picture["versions"]) == 6
    assert faultless.picture["left to do"] == frozenset()


@pytest.mark.parametrize("seed", SEEDS, ids="seed-{}".format)
def test_after_any_schedule_of_faults_nothing_is_missing_and_nothing_is_twice(
    seed: int, soak_url: str, faultless: Trial
) -> None:
    trial = run_trial(schedule_of(seed), soak_url).against(faultless)

    assert not trial.wrong, trial.report()
    assert trial.struck
