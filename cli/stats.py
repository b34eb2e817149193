"""`face-archive stats`: the questions that people ask, each a command of its own.

A question is an SQL file of `resources.questions`; from it comes its command, with the options
that it can be narrowed by. Plots of the same marts are `cli.stats_plot`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Final

import typer

from cli import stats_plot
from cli.output import emit
from cli.stats_subjects import meant
from cli.warehouse_answers import Format, FormatOption, OutputOption, deliver, the_warehouse
from resources.questions.asking import Question, questions

# What only a program needs.
_HIDDEN: Final = ("identity_id", "identity_a", "identity_b")

_EXAMPLES: Final = {
    "chat": "--chat @ourfamily",
    "person": '--person "Ada"',
    "since": "--since 2025-01-01",
}

stats_app = typer.Typer(
    invoke_without_command=True,
    help=(
        "The questions that people ask of an archive, and plots of the answers.\n\n"
        "Without a question the list of them is printed. They are answered from the warehouse, "
        "which is built once a day."
    ),
)


@stats_app.callback()
def _list(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        emit(
            (
                {"question": each.name, "title": each.title, "about": each.about}
                for each in questions().values()
            ),
            title="face-archive stats QUESTION",
            # `--help` of a question says it.
            hide=("about",),
        )


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    for question in questions().values():
        stats_app.command(question.name, help=_help(question))(_command(question))
    stats_plot.register(stats_app)
    app.add_typer(stats_app, name="stats")


def _command(question: Question) -> Callable[..., None]:
    """Make the command of a question: it has the options that the question takes."""

    def command(
        *,
        chat: Annotated[
            str | None, typer.Option(help="Only this chat: number, @name, link or title.")
        ] = None,
        person: Annotated[
            str | None, typer.Option(help="Only this person: number (12 or #12), name, or id.")
        ] = None,
        since: Annotated[
            datetime | None,
            typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC)."),
        ] = None,
        limit: Annotated[int, typer.Option(help="Most rows.", min=1)] = 20,
        form: FormatOption = None,
        output: OutputOption = None,
    ) -> None:
        _answer(question, chat, person, since and since.date(), limit, form, output)

    full = signature(command, eval_str=True)
    own = [
        parameter.replace(default=Parameter.empty) if name in question.needs else parameter
        for name, parameter in full.parameters.items()
        if name in question.takes or name in ("form", "output")
    ]
    # Typer reads a command's options from its signature.
    command.__signature__ = full.replace(parameters=own)  # type: ignore[attr-defined]
    return command


def _help(question: Question) -> str:
    narrowed = [_EXAMPLES[name] for name in _EXAMPLES if name in question.takes]
    needed = [_EXAMPLES[name] for name in _EXAMPLES if name in question.needs]
    ask = " ".join(["face-archive stats", question.name, *needed])
    examples = [ask, *(f"{ask} {each}" for each in narrowed if each not in needed)]
    lines = "\n".join(f"- `{each}`" for each in [*examples, f"{ask} --output {question.name}.csv"])
    return f"{question.title}.\n\n{question.about}\n\nFor example:\n\n{lines}"


def _answer(
    question: Question,
    chat: str | None,
    person: str | None,
    since: date | None,
    limit: int,
    form: Format | None,
    output: Path | None,
) -> None:
    about = meant(chat=chat, person=person)
    parameters = question.parameters(
        today=datetime.now(UTC).date(),
        limit=limit,
        chat=about.chat_no,
        person=about.identity_id,
        since=since,
    )
    deliver(
        the_warehouse(),
        question.sql,
        parameters,
        form=form,
        output=output,
        title=question.title,
        hide=_HIDDEN,
    )
