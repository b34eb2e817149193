"""Changing a `.env` that other programs share."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.env_file import changed_names, known_values, merged, write_values
from resources.settings import SettingsError

SHARED = """\
# Of another program
export OTHER="two words"

TG_API_ID=1
TG_API_ID=2
FACE_ARCHIVE_MIN_FACES=5   # a comment of mine
"""


def test_our_lines_are_replaced_and_all_others_stay(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(SHARED, encoding="utf-8")
    settings = write_values(env_file, {"TG_API_ID": "7", "TG_API_HASH": "a'b c"})
    assert env_file.read_text(encoding="utf-8") == (
        '# Of another program\nexport OTHER="two words"\n\nTG_API_ID=7\n'
        "FACE_ARCHIVE_MIN_FACES=5   # a comment of mine\nTG_API_HASH='a\\'b c'\n"
    )
    assert settings.tg_api_hash is not None
    assert settings.tg_api_hash.get_secret_value() == "a'b c"


def test_the_file_is_readable_by_its_owner_only_whatever_it_was(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("", encoding="utf-8")
    env_file.chmod(0o644)
    write_values(env_file, {"TG_API_ID": "7"})
    assert env_file.stat().st_mode & 0o777 == 0o600


def test_values_that_cannot_be_used_leave_the_file_as_it_was(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(SHARED, encoding="utf-8")
    with pytest.raises(SettingsError, match="TG_API_ID"):
        write_values(env_file, {"TG_API_ID": "-1"})
    assert env_file.read_text(encoding="utf-8") == SHARED
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, env_file = tmp_path / "real", tmp_path / ".env"
    target.write_text("OTHER=1\n", encoding="utf-8")
    env_file.symlink_to(target)
    write_values(env_file, {"TG_API_ID": "7"})
    assert env_file.is_symlink()
    assert target.read_text(encoding="utf-8") == "OTHER=1\nTG_API_ID=7\n"


def test_only_another_value_counts_as_a_change(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TG_API_ID=1\nTG_API_HASH=\n", encoding="utf-8")
    assert (
        changed_names(env_file, {"TG_API_ID": "1", "TG_API_HASH": "x", "LOG_LEVEL": "INFO"}) == []
    )
    assert changed_names(env_file, {"TG_API_ID": "2"}) == ["TG_API_ID"]


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0"), min_size=1))
def test_every_value_comes_back_as_it_was_written(value: str) -> None:
    from io import StringIO

    from dotenv.parser import parse_stream

    bindings = list(parse_stream(StringIO(merged("OTHER=1", {"NAME": value}))))
    assert [(each.key, each.value) for each in bindings] == [("OTHER", "1"), ("NAME", value)]


def test_no_file_sets_nothing(tmp_path: Path) -> None:
    assert known_values(tmp_path / ".env") == {}
