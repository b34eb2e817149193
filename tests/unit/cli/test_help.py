"""Every command, argument and option says what it is for."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli.app import app
from cli.exits import ExitCode

# Typer's own, which explain themselves.
_TYPERS_OWN = {"install_completion", "show_completion"}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands(get_command(app)))
LEAVES = [path for path, command in COMMANDS.items() if not hasattr(command, "commands")]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_says_what_it_does(path: tuple[str, ...]) -> None:
    assert COMMANDS[path].help


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_argument_and_option_is_explained(path: tuple[str, ...]) -> None:
    silent = [
        parameter.name
        for parameter in COMMANDS[path].params
        if not getattr(parameter, "help", None) and parameter.name not in _TYPERS_OWN
    ]
    assert silent == []


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_the_help_of_a_command_can_be_printed(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0, result.output


def test_the_commands_that_the_documents_name_exist() -> None:
    assert {path[0] for path in COMMANDS if len(path) == 1} >= {
        *("demo", "up", "init", "login", "chats", "hub", "backfill", "identify", "publish"),
        *("status", "doctor", "settings", "db"),
    }


def test_the_exit_codes_are_documented() -> None:
    printed = CliRunner().invoke(app, ["--help"]).output
    for code in ExitCode:
        assert f"{code.value} " in printed


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output.split()[0]) == (0, "face-archive")


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["chat"]).exit_code == ExitCode.USAGE
