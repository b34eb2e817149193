"""`init`, answered as a person would and by flags."""

import pytest

from cli.exits import ExitCode

from .conftest import API_HASH, Shell


@pytest.fixture
def empty(installed: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A newcomer's folder; the data folder is not in the environment, which would win."""
    monkeypatch.delenv("FACE_ARCHIVE_DATA_DIR")
    return installed


def env_lines(shell: Shell) -> list[str]:
    return (shell.folder / ".env").read_text(encoding="utf-8").splitlines()


def test_answers_become_a_private_env_file_and_a_ready_database(empty: Shell) -> None:
    data = empty.folder / "faces"
    result = empty.run("init", typed=f"{data}\n20\n{API_HASH}\nn\ndlib\n")
    assert result.exit_code == 0, result.output
    assert env_lines(empty) == [
        f"FACE_ARCHIVE_DATA_DIR={data}",
        "TG_API_ID=20",
        f"TG_API_HASH={API_HASH}",
        "FACE_ARCHIVE_MODEL=dlib",
    ]
    assert (empty.folder / ".env").stat().st_mode & 0o777 == 0o600
    assert API_HASH not in result.output
    assert "face-archive login" in result.stderr


def test_what_each_model_costs_and_may_be_used_for_is_said_before_it_is_chosen(
    empty: Shell,
) -> None:
    result = empty.run("init", typed=f"{empty.folder}\n20\n{API_HASH}\ny\n")
    said = result.stderr
    assert all(text in said for text in ("326 MB", "non-commercial", "Apache-2.0", "dlib"))
    assert "FACE_ARCHIVE_MODEL=buffalo_l" in env_lines(empty)
    assert "FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS=true" in env_lines(empty)


def test_without_the_consent_the_proposal_is_the_free_pack(empty: Shell) -> None:
    result = empty.run("init", typed=f"{empty.folder}\n20\n{API_HASH}\nn\n\n")
    assert result.exit_code == 0, result.output
    assert "FACE_ARCHIVE_MODEL=auraface" in env_lines(empty)


def test_flags_answer_everything_and_foreign_lines_stay(empty: Shell) -> None:
    (empty.folder / ".env").write_text("OTHER=1\n", encoding="utf-8")
    flags = ("--yes", "--data-dir", empty.folder, "--api-id", 20, "--api-hash", API_HASH)
    result = empty.run("init", *flags, "--model", "buffalo_l", "--accept-noncommercial")
    assert result.exit_code == 0, result.output
    assert env_lines(empty)[0] == "OTHER=1"
    assert "FACE_ARCHIVE_MODEL=buffalo_l" in env_lines(empty)


def test_a_model_without_the_consent_it_needs_is_refused_before_anything_is_written(
    empty: Shell,
) -> None:
    result = empty.run("init", "--yes", "--data-dir", empty.folder, "--model", "buffalo_l")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "auraface" in result.stderr
    assert not (empty.folder / ".env").exists()


def test_another_value_replaces_a_known_one_only_after_a_yes(empty: Shell) -> None:
    before = f"TG_API_ID=20\nTG_API_HASH={API_HASH}\nFACE_ARCHIVE_MODEL=dlib\n"
    (empty.folder / ".env").write_text(before, encoding="utf-8")
    answers = f"{empty.folder}\n21\n\n"
    result = empty.run("init", typed=f"{answers}n\n")
    assert result.exit_code == ExitCode.FAILED
    assert (empty.folder / ".env").read_text(encoding="utf-8") == before
    assert "TG_API_ID" in result.stderr
    assert empty.run("init", typed=f"{answers}y\n").exit_code == 0
    assert "TG_API_ID=21" in env_lines(empty)


def test_without_an_application_key_the_next_step_is_to_get_one(empty: Shell) -> None:
    result = empty.run("init", "--yes", "--data-dir", empty.folder)
    assert result.exit_code == 0, result.output
    assert "my.telegram.org" in result.stderr
