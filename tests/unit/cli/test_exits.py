"""How errors end a command."""

import pytest
import typer
from typer.testing import CliRunner

from archive.errors import ItemRejected, Permanent, Transient
from cli.exits import ArchiveGroup, ExitCode
from resources.settings_source import SettingsError

ENDINGS = [
    (Permanent("join the chat first"), ExitCode.PERSON_MUST_ACT, "join the chat first"),
    (Transient("flooded", 42.4), ExitCode.TRY_LATER, "in 42 seconds"),
    (Transient("busy"), ExitCode.TRY_LATER, "in a while"),
    (SettingsError(["one is wrong", "two is wrong"]), ExitCode.USAGE, "two is wrong"),
    (ItemRejected("corrupt", "no JPEG"), ExitCode.FAILED, "no JPEG"),
]


def app_that_raises(error: Exception) -> typer.Typer:
    app = typer.Typer(cls=ArchiveGroup, pretty_exceptions_enable=False)
    inner = typer.Typer()
    app.add_typer(inner, name="inner")

    @app.callback()
    def top() -> None:
        """Needed for a group of one."""

    @inner.callback()
    def group() -> None:
        """Needed for a group of one."""

    @inner.command()
    def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(("error", "code", "said"), ENDINGS)
def test_each_kind_of_error_has_its_exit_code_and_one_readable_message_on_stderr(
    error: Exception, code: ExitCode, said: str
) -> None:
    result = CliRunner().invoke(app_that_raises(error), ["inner", "fail"])
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output


def test_an_error_of_no_known_kind_keeps_its_traceback() -> None:
    result = CliRunner().invoke(app_that_raises(RuntimeError("a defect")), ["inner", "fail"])
    assert isinstance(result.exception, RuntimeError)
