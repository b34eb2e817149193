"""Checks that need nothing but a folder."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from archive.ids import AccountId
from resources.doctor import (
    CheckState,
    check_application,
    check_data_folder,
    check_env_file,
    check_free_disk,
    check_model,
    check_python,
    check_sessions,
)
from resources.settings import Settings
from resources.telegram.sessions import Lane, SessionFiles


def settings(tmp_path: Path, **values: Any) -> Settings:
    return Settings(data_dir=tmp_path, **values)


def test_an_old_python_is_told_which_one_to_install() -> None:
    result = check_python((3, 10))
    assert result.state is CheckState.FAIL
    assert "3.11" in result.way_out


def test_a_env_file_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TG_API_HASH=x\n", encoding="utf-8")
    env_file.chmod(0o640)
    result = check_env_file(env_file)
    assert result.state is CheckState.WARN
    assert "chmod 600" in result.way_out
    env_file.chmod(0o600)
    assert check_env_file(env_file).state is CheckState.OK


def test_a_data_folder_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = check_data_folder(settings(tmp_path / "file"))
    assert result.state is CheckState.FAIL
    assert "FACE_ARCHIVE_DATA_DIR" in result.way_out


def test_a_full_disk_fails_and_names_the_limit(tmp_path: Path) -> None:
    result = check_free_disk(settings(tmp_path / "new" / "folder", min_free_disk_gb=10**9))
    assert result.state is CheckState.FAIL
    assert "FACE_ARCHIVE_MIN_FREE_DISK_GB" in result.way_out


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no second disk to name")
def test_crops_on_a_disk_of_their_own_are_looked_at_too(tmp_path: Path) -> None:
    elsewhere = settings(tmp_path, blob_url="/dev/shm/blobs", min_free_disk_gb=10**9)
    free = {name: shutil.disk_usage(name).free for name in ("/dev/shm", tmp_path)}
    smaller = "BLOB_URL" if free["/dev/shm"] < free[tmp_path] else "DATA_DIR"

    assert smaller in check_free_disk(elsewhere).way_out


def test_a_missing_application_key_leads_to_init(tmp_path: Path) -> None:
    assert "face-archive init" in check_application(settings(tmp_path)).way_out


def test_the_application_key_is_never_shown(tmp_path: Path) -> None:
    result = check_application(settings(tmp_path, tg_api_id=12, tg_api_hash="very-secret"))
    assert result.state is CheckState.OK
    assert "very-secret" not in repr(result)


def test_an_account_without_a_session_for_every_lane_leads_to_login(tmp_path: Path) -> None:
    assert "face-archive login" in check_sessions(settings(tmp_path)).way_out
    files = SessionFiles(tmp_path / "sessions")
    files.save(AccountId(77), Lane.LIVE, "secret")
    result = check_sessions(settings(tmp_path))
    assert result.state is CheckState.FAIL
    assert "backfill" in result.finding
    assert "face-archive login" in result.way_out


def test_a_model_whose_licence_nobody_accepted_names_the_free_ones(tmp_path: Path) -> None:
    result = check_model(settings(tmp_path, model="buffalo_l"))
    assert result.state is CheckState.FAIL
    assert "auraface" in result.finding


@pytest.mark.parametrize(
    ("model", "state"), [("auraface", CheckState.FAIL), ("buffalo_l", CheckState.WARN)]
)
def test_a_missing_pack_names_its_folder_and_only_fails_where_nobody_fetches_it(
    tmp_path: Path, model: str, state: CheckState
) -> None:
    result = check_model(settings(tmp_path, model=model, accept_noncommercial_models=True))
    assert result.state is state
    assert str(tmp_path / "models" / model) in result.finding
    assert result.way_out


def test_a_model_that_loads_shows_its_licence(tmp_path: Path) -> None:
    result = check_model(settings(tmp_path, model="dlib"))
    assert result.state is CheckState.OK
    assert "CC0" in result.finding
