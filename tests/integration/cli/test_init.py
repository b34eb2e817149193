"""`init`, answered as a person would and by flags; a whole sitting is in `tests/e2e`."""

import pytest

from cli.exits import ExitCode

from .conftest import API_HASH, CODE, PHONE, Shell, Town


@pytest.fixture
def empty(installed: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A newcomer's folder; the data folder is not in the environment, which would win."""
    monkeypatch.delenv("FACE_ARCHIVE_DATA_DIR")
    return installed


def env_lines(shell: Shell) -> list[str]:
    return (shell.folder / ".env").read_text(encoding="utf-8").splitlines()


def test_answers_become_a_private_env_file_and_a_ready_database(empty: Shell) -> None:
    data = empty.folder / "faces"
    result = empty.run("init", typed=f"{data}\nn\ndlib\nlater\n")
    assert result.exit_code == 0, result.output
    assert env_lines(empty) == [f"FACE_ARCHIVE_DATA_DIR={data}", "FACE_ARCHIVE_MODEL=dlib"]
    assert (empty.folder / ".env").stat().st_mode & 0o777 == 0o600
    assert "Database ready" in result.stderr
    assert "face-archive login" in result.stderr


def test_what_each_model_costs_and_may_be_used_for_is_said_before_it_is_chosen(
    empty: Shell,
) -> None:
    result = empty.run("init", typed=f"{empty.folder}\ny\nlater\n")
    said = result.stderr
    assert all(text in said for text in ("326 MB", "non-commercial", "Apache-2.0", "dlib"))
    assert "FACE_ARCHIVE_MODEL=buffalo_l" in env_lines(empty)
    assert "FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS=true" in env_lines(empty)


def test_without_the_consent_the_proposal_is_the_free_pack(empty: Shell) -> None:
    result = empty.run("init", typed=f"{empty.folder}\nn\n\nlater\n")
    assert result.exit_code == 0, result.output
    assert "FACE_ARCHIVE_MODEL=auraface" in env_lines(empty)


def test_flags_answer_everything_and_foreign_lines_stay(empty: Shell) -> None:
    (empty.folder / ".env").write_text("OTHER=1\n", encoding="utf-8")
    flags = ("--yes", "--data-dir", empty.folder, "--api-id", 20, "--api-hash", API_HASH)
    result = empty.run("init", *flags, "--model", "buffalo_l", "--accept-noncommercial")
    assert result.exit_code == 0, result.output
    assert env_lines(empty)[0] == "OTHER=1"
    assert "FACE_ARCHIVE_MODEL=buffalo_l" in env_lines(empty)
    assert API_HASH not in result.output


def test_a_model_without_the_consent_it_needs_is_refused_before_anything_is_written(
    empty: Shell,
) -> None:
    result = empty.run("init", "--yes", "--data-dir", empty.folder, "--model", "buffalo_l")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "auraface" in result.stderr
    assert not (empty.folder / ".env").exists()


def test_a_flag_replaces_a_known_value_only_after_a_yes(empty: Shell) -> None:
    before = (
        f"TG_API_ID=20\nTG_API_HASH={API_HASH}\nFACE_ARCHIVE_MODEL=dlib\n"
        f"FACE_ARCHIVE_DATA_DIR={empty.folder}\n"
    )
    (empty.folder / ".env").write_text(before, encoding="utf-8")
    result = empty.run("init", "--api-id", 21, typed="n\n")
    assert result.exit_code == ExitCode.FAILED
    assert (empty.folder / ".env").read_text(encoding="utf-8") == before
    assert "TG_API_ID" in result.stderr
    assert empty.run("init", "--api-id", 21, typed="y\nlater\n").exit_code == 0
    assert "TG_API_ID=21" in env_lines(empty)


def test_without_an_application_key_the_next_step_is_to_get_one(empty: Shell) -> None:
    result = empty.run("init", "--yes", "--data-dir", empty.folder, "--phone", PHONE)
    assert result.exit_code == 0, result.output
    assert "my.telegram.org" in result.stderr


def test_a_step_that_is_left_is_the_one_that_it_goes_on_with(empty: Shell) -> None:
    left = empty.run("init", typed=f"{empty.folder}\nn\ndlib\n")
    assert left.exit_code == ExitCode.FAILED
    assert "Left at a source" in left.stderr

    resumed = empty.run("init", typed="later\n")

    assert resumed.exit_code == 0, resumed.output
    assert "Data folder" not in resumed.stderr


def test_one_sitting_logs_in_and_allows_what_was_chosen(installed: Shell, town: Town) -> None:
    answers = f"n\ndlib\naccount\n{PHONE}\n{CODE}\nnobody\nFamily, O*\ny\nn\n"
    result = installed.run("init", "--windows", 0, typed=answers)
    assert result.exit_code == 0, result.output
    assert "No chat is known as 'nobody'" in result.stderr
    assert {row["title"]: row["allowed"] for row in installed.rows("chats", "list")} == {
        "Family": ["archive", "faces"],
        "Open": ["archive", "faces"],
        "Ours": ["archive", "faces"],
    }


def test_flags_go_all_the_way_and_a_hub_is_made_only_if_one_is_named(
    ada: Shell, town: Town
) -> None:
    result = ada.run("init", "--yes", "--chat", "Family", "--hub", "Our people")
    assert result.exit_code == 0, result.output
    (hub,) = ada.rows("hub", "list")
    assert hub["title"] == "Our people"
    chats = {row["title"]: row["allowed"] for row in ada.rows("chats", "list")}
    assert chats["Family"] == ["archive", "faces", "publish"]
