"""Locks that the server holds: exclusive, and free when the holder is gone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import Permanent, Transient
from archive.ids import AccountId
from archive.records import Account
from resources.store.accounts import AccountStore
from resources.store.database import Database
from resources.store.locks import account_lane, named_lock

ACCOUNT = AccountId(1)

_HOLD = """
import sys
from resources.store.database import Database
from resources.store.locks import account_lane
with Database(sys.argv[1]) as database, account_lane(database, 1, "live"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lane_is_for_one_at_a_time(database: Database) -> None:
    with (
        account_lane(database, ACCOUNT, "live"),
        pytest.raises(Transient, match="busy") as busy,
        account_lane(database, ACCOUNT, "live"),
    ):
        pass

    assert busy.value.retry_after_seconds == 15
    with account_lane(database, ACCOUNT, "live"):
        pass


def test_lanes_accounts_and_names_do_not_stand_in_each_others_way(database: Database) -> None:
    with (
        account_lane(database, ACCOUNT, "live"),
        account_lane(database, ACCOUNT, "backfill"),
        account_lane(database, AccountId(2), "live"),
        named_lock(database, "identify"),
        named_lock(database, "publish"),
    ):
        pass


def test_an_error_inside_frees_the_lane_and_passes_unchanged(database: Database) -> None:
    with pytest.raises(ValueError, match="mine"), named_lock(database, "identify"):
        raise ValueError("mine")
    with named_lock(database, "identify"):
        pass


def test_a_killed_holder_frees_its_lane(database: Database, database_url: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, database_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Transient), account_lane(database, ACCOUNT, "live"):
            pass
        holder.kill()
        holder.wait()

        _wait_for_lane(database)


def _wait_for_lane(database: Database) -> None:
    """Take the lane as soon as the server noticed the closed socket."""
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while True:
        try:
            with account_lane(database, ACCOUNT, "live"):
                return
        except Transient:
            if datetime.now(UTC) > deadline:
                raise


def test_an_account_keeps_its_newest_name_and_its_state(database: Database) -> None:
    accounts = AccountStore(database)
    accounts.save(Account(ACCOUNT, "Old"))
    accounts.save(Account(ACCOUNT, "Owner"))

    accounts.pause(ACCOUNT)

    assert [(row.name, row.state) for row in accounts.list()] == [("Owner", "paused")]
    with pytest.raises(Permanent, match="login"):
        accounts.get(AccountId(9))
