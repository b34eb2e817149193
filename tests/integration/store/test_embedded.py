"""Where the embedded server may live, where its programs run from, and what memory it may use."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from archive.errors import Permanent
from resources.store.embedded import EmbeddedPostgres, _keep_programs_out_of_private_folders

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@as_root
def test_root_is_refused_a_place_below_a_private_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with pytest.raises(Permanent, match="FACE_ARCHIVE_DATA_DIR"):
        EmbeddedPostgres(home / "data" / "postgres")
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_name_too_long_for_a_private_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="too long"):
        EmbeddedPostgres(tmp_path / ("x" * 120))


@as_root
def test_programs_below_a_private_home_are_copied_out_of_it(tmp_path: Path) -> None:
    home, place = tmp_path / "home", tmp_path / "place"
    (home / "wheel" / "install18" / "bin").mkdir(parents=True)
    home.chmod(0o700)
    place.mkdir()
    programs = {16: home / "wheel" / "install16" / "bin", 18: home / "wheel" / "install18" / "bin"}
    _keep_programs_out_of_private_folders(programs, place)
    assert programs == {18: place / "install18" / "bin"}


def test_its_lock_file_is_nobody_elses(postgres: EmbeddedPostgres) -> None:
    folder = Path(conninfo_to_dict(postgres.archive_url)["host"])
    assert Path(os.fsdecode(postgres._server._lock.path)) == folder.with_name("data.lock")


def test_it_may_keep_an_eighth_of_the_machine_in_memory_at_most_two_gigabytes(
    postgres: EmbeddedPostgres,
) -> None:
    # What the server reads from our file; the tests' own override it with less.
    with psycopg.connect(postgres.archive_url) as connection:
        [setting] = connection.execute(
            "SELECT pg_size_bytes(setting) FROM pg_file_settings"
            " WHERE name = 'shared_buffers' AND sourcefile LIKE '%/memory.conf' AND error IS NULL"
        ).fetchone() or [0]

    allowed = max(min(psutil.virtual_memory().total // 8, 2 * 2**30), 128 * 2**20)
    assert setting == allowed // 2**20 * 2**20
