"""Questions put while a connection stays alive."""

import asyncio
import threading
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from cli.prompts import question


def asking(text: str, *, hidden: bool) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    def ask(times: Annotated[int, typer.Argument()]) -> None:
        put = question(text, hidden=hidden)
        answers = [asyncio.run(put()) for _ in range(times)]
        assert answers == ["correct horse"] * times

    return app


def test_a_hidden_answer_is_never_shown_however_often_it_is_asked_for() -> None:
    typed = "correct horse\ncorrect horse\n"
    result = CliRunner().invoke(asking("Password", hidden=True), ["2"], input=typed)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("Password") == 2
    assert "horse" not in result.output


def test_the_loop_goes_on_while_a_person_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    loop_went_on = threading.Event()

    def prompt(*_: object, **__: object) -> str:
        return "in time" if loop_went_on.wait(timeout=30) else "too late"

    monkeypatch.setattr("cli.prompts.typer.prompt", prompt)

    async def ask() -> str:
        asyncio.get_running_loop().call_soon(loop_went_on.set)
        return await question("Code")()

    assert asyncio.run(ask()) == "in time"


def test_breaking_a_question_off_reaches_the_caller() -> None:
    result = CliRunner().invoke(asking("Code", hidden=False), ["1"], input="")
    assert result.exit_code == 1
    assert "Aborted" in result.stderr
