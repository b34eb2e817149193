"""What a command prints: rows for programs, tables for people, remarks beside both."""

import json
import sys

import pytest

from cli.output import emit, progress, say

ROWS = [
    {"title": "Family [red]", "faces": 3, "publish": False, "rate": 1.25, "media": {"done": 2}},
    {"title": "Ünterwegs", "faces": None, "publish": True, "rate": None, "media": {}},
]


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")


def test_elsewhere_than_on_a_terminal_each_row_is_one_json_object_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit(ROWS, title="Chats")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS


def test_a_terminal_gets_a_table_that_takes_titles_literally(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    emit(ROWS, title="Chats")
    printed = capsys.readouterr().out
    assert "Family [red]" in printed
    assert "done 2" in printed
    assert "{" not in printed


def test_more_columns_than_a_terminal_has_room_for_become_lines_of_name_and_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "40")
    emit([{f"a_rather_long_name_{number}": 10**12 for number in range(6)}])
    printed = capsys.readouterr().out
    assert printed.count(str(10**12)) == 6
    assert "a rather long name 5" in printed


def test_what_only_a_program_needs_is_hidden_from_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    emit([{"row": "chat", "faces": 1}], hide=("row",))
    assert json.loads(capsys.readouterr().out) == {"row": "chat", "faces": 1}
    on_a_terminal(monkeypatch)
    emit([{"row": "chat", "faces": 1}], hide=("row",))
    assert "chat" not in capsys.readouterr().out


def test_json_can_be_asked_for_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    emit(ROWS, as_json=True)
    assert len(capsys.readouterr().out.splitlines()) == len(ROWS)


def test_no_rows_are_nothing_to_a_program_and_a_sentence_to_a_person(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    emit([], empty="No chat yet.")
    assert capsys.readouterr() == ("", "")
    on_a_terminal(monkeypatch)
    emit([], empty="No chat yet.")
    assert capsys.readouterr() == ("", "No chat yet.\n")


def test_remarks_never_reach_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    say("Next: [bold]login[/bold].", "")
    assert capsys.readouterr() == ("", "Next: [bold]login[/bold].\n")


def test_progress_says_nothing_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Working") as advance:
        advance(1, 2)
    assert capsys.readouterr() == ("", "")
