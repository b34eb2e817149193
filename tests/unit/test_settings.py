"""Settings are refused, masked, ranged and described as the documentation promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pydantic import ValidationError
from typer.testing import CliRunner

from cli.settings import settings_command
from resources.settings import Settings, SettingsError, settings_env_example
from resources.settings_source import PLAIN_NAMES, PREFIX, env_name

ROOT = Path(__file__).parents[2]


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(settings_command)
    return app


def load_environ(**environ: str) -> Settings:
    return Settings.load(None, environ)


def test_without_any_source_every_setting_has_its_default() -> None:
    settings = load_environ()

    assert settings.min_faces == 3
    assert settings.max_media_size_mb == 200
    assert settings.video_frame_rate == 1.0
    assert settings.log_level == "INFO"
    assert settings.similarity_threshold is None
    assert settings.models_dir == settings.data_dir
    assert {row.origin for row in settings.describe()} == {"default"}


def test_the_eight_plain_names_stay_and_all_others_carry_the_prefix() -> None:
    names = {env_name(field) for field in Settings.model_fields}

    assert names >= PLAIN_NAMES
    assert all(name.startswith(PREFIX) for name in names - PLAIN_NAMES)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(env_file: Path) -> None:
    env_file.write_text("FACE_ARCHIVE_MIN_FACES=5\nLOG_LEVEL=debug\n")

    settings = Settings.load(env_file, {"FACE_ARCHIVE_MIN_FACES": "7"})

    assert (settings.min_faces, settings.log_level) == (7, "DEBUG")
    origins = {row.name: row.origin for row in settings.describe()}
    assert origins["FACE_ARCHIVE_MIN_FACES"] == "environment"
    assert origins["LOG_LEVEL"] == ".env"
    assert origins["TG_API_ID"] == "default"


def test_the_process_environment_is_read_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_MIN_FACES", "4")

    assert Settings.load(None).min_faces == 4


def test_the_constructor_reads_neither_file_nor_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_MIN_FACES", "4")
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("FACE_ARCHIVE_MIN_FACES=5")

    assert Settings().min_faces == 3


@pytest.mark.parametrize("misspelt", ["FACE_ARCHIVE_MIN_FACE", "face_archive_min_faces"])
def test_a_misspelt_name_is_refused_in_the_environment_with_the_closest_one(misspelt: str) -> None:
    with pytest.raises(SettingsError, match=r"environment.*Did you mean FACE_ARCHIVE_MIN_FACES\?"):
        load_environ(**{misspelt: "2"})


def test_a_misspelt_name_is_refused_in_the_file_with_the_closest_one(env_file: Path) -> None:
    env_file.write_text("FACE_ARCHIVE_DATADIR=/data\n")

    with pytest.raises(SettingsError, match=r"\.env.*Did you mean FACE_ARCHIVE_DATA_DIR\?"):
        Settings.load(env_file, {})


def test_a_plain_name_with_the_prefix_is_refused_and_the_plain_one_named() -> None:
    with pytest.raises(SettingsError, match=r"Did you mean LOG_LEVEL\?"):
        load_environ(FACE_ARCHIVE_LOG_LEVEL="DEBUG")


def test_names_of_other_programs_are_left_alone(env_file: Path) -> None:
    env_file.write_text("POSTGRES_PASSWORD='x'\nmin_faces=9\nthis is no pair\n")

    assert Settings.load(env_file, {"PATH": "/bin", "model": "gpt"}) == Settings()


def test_an_unreadable_line_that_names_us_is_refused(env_file: Path) -> None:
    env_file.write_text("A=1\nFACE_ARCHIVE_MODEL='dlib\n")

    with pytest.raises(SettingsError, match="line 2"):
        Settings.load(env_file, {})


def test_a_file_that_is_no_text_is_refused(env_file: Path) -> None:
    env_file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="UTF-8"):
        Settings.load(env_file, {})


def test_a_value_with_a_dollar_sign_is_taken_literally(env_file: Path) -> None:
    env_file.write_text("TG_API_HASH=a${HOME}b\n")

    secret = Settings.load(env_file, {}).tg_api_hash

    assert secret is not None
    assert secret.get_secret_value() == "a${HOME}b"


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_value_means_unset(env_file: Path, empty: str) -> None:
    env_file.write_text(f"SIMILARITY_THRESHOLD={empty}\nFACE_ARCHIVE_MIN_FACES=5\n")

    settings = Settings.load(env_file, {"FACE_ARCHIVE_MIN_FACES": empty, "TG_API_ID": empty})

    assert settings.similarity_threshold is None
    assert settings.tg_api_id is None
    assert settings.min_faces == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FACE_ARCHIVE_MIN_FACES", "0"),
        ("FACE_ARCHIVE_MIN_FACES", "many"),
        ("FACE_ARCHIVE_MEDIA_WORKERS", "0"),
        ("FACE_ARCHIVE_MODEL", "../elsewhere"),
        ("FACE_ARCHIVE_TELEGRAM_SERVER", "localhost"),
        ("HUB_GROUP_ID", "1234567890"),
        ("LOG_LEVEL", "loud"),
        ("MAX_MEDIA_SIZE_MB", "-1"),
        ("SIMILARITY_THRESHOLD", "1.5"),
        ("VIDEO_FRAME_RATE", "0"),
        ("VIDEO_FRAME_RATE", "nan"),
    ],
)
def test_a_value_out_of_range_is_one_problem_that_says_the_way_out(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match="for the default") as caught:
        load_environ(**{name: value})

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"{name} (in environment): ")


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_environ(LOG_LEVEL="loud", TG_API_ID="x", FACE_ARCHIVE_MIN_FACES="0")

    assert len(caught.value.problems) == 3


def test_a_test_server_without_its_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="TELEGRAM_SERVER_KEY belong together"):
        load_environ(FACE_ARCHIVE_TELEGRAM_SERVER="127.0.0.1:4430")


def test_relative_folders_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert load_environ(FACE_ARCHIVE_DATA_DIR="data").data_dir == tmp_path / "data"


def test_the_models_lie_in_the_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).models_dir == tmp_path
    assert Settings(data_dir=tmp_path, models_dir=tmp_path / "m").models_dir == tmp_path / "m"


def test_a_secret_appears_in_no_text(env_file: Path) -> None:
    env_file.write_text("TG_API_HASH=hunter2\nFACE_ARCHIVE_DATABASE_URL=postgresql://u:hunter2@h/d")

    settings = Settings.load(env_file, {})

    assert "hunter2" not in f"{settings!r} {settings} {settings.describe()}"
    assert "hunter2" not in settings.model_dump_json()
    row = next(row for row in settings.describe() if row.name == "TG_API_HASH")
    assert row.value == "**********"


def test_a_refused_value_appears_in_no_message() -> None:
    with pytest.raises(SettingsError) as caught:
        load_environ(TG_API_ID="hunter2")

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_cannot_be_changed_and_take_no_unknown_argument() -> None:
    with pytest.raises(ValidationError):
        Settings().min_faces = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Settings(min_face=1)  # type: ignore[call-arg]


def test_importing_the_settings_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FACE_ARCHIVE_NONSENSE=1")

    subprocess.run(
        [sys.executable, "-c", "import resources.settings"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "FACE_ARCHIVE_NONSENSE": "1"},
        check=True,
    )


def test_the_env_example_is_the_one_that_the_class_makes() -> None:
    stored = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert stored == settings_env_example(), "run: face-archive settings --example > .env.example"


def test_the_env_example_uncommented_is_the_defaults(env_file: Path) -> None:
    lines = settings_env_example().splitlines()
    pairs = [line.removeprefix("# ") for line in lines if "=" in line]
    env_file.write_text("\n".join(pairs))

    assert len(pairs) == len(Settings.model_fields)
    assert Settings.load(env_file, {}).model_dump() == Settings().model_dump()


def test_every_setting_is_described() -> None:
    for row in Settings().describe():
        assert row.description.endswith(".")
        assert row.section


def test_the_command_prints_one_json_object_a_setting(command: typer.Typer, env_file: Path) -> None:
    env_file.write_text("TG_API_HASH=hunter2\n")

    result = CliRunner().invoke(command, ["--json", "--env-file", str(env_file)])

    rows = {row["name"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 0
    assert rows["TG_API_HASH"]["origin"] == ".env"
    assert rows["TG_API_HASH"]["value"] == "**********"
    assert len(rows) == len(Settings.model_fields)


def test_the_command_prints_a_table_that_names_every_setting(
    command: typer.Typer, env_file: Path
) -> None:
    result = CliRunner().invoke(command, ["--env-file", str(env_file)])

    assert result.exit_code == 0
    assert all(env_name(field) in result.stdout for field in Settings.model_fields)


def test_the_command_prints_the_example_even_with_a_broken_file(
    command: typer.Typer, env_file: Path
) -> None:
    env_file.write_text("FACE_ARCHIVE_NONSENSE=1")

    result = CliRunner().invoke(command, ["--example", "--env-file", str(env_file)])

    assert result.stdout == settings_env_example()


def test_the_command_says_what_is_wrong_without_a_traceback(
    command: typer.Typer, env_file: Path
) -> None:
    env_file.write_text("FACE_ARCHIVE_MIN_FACE=1")

    result = CliRunner().invoke(command, ["--env-file", str(env_file)])

    assert result.exit_code == 2
    assert "Did you mean FACE_ARCHIVE_MIN_FACES?" in result.stderr
    assert "Traceback" not in result.output
