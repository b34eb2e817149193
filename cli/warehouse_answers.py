"""How an answer of the warehouse reaches whoever asked: a table, or rows of a format in a file.

Asking is `resources.warehouse`; rows on a terminal and in a pipe are `cli.output`.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from cli.output import Row, emit, say

if TYPE_CHECKING:
    from resources.warehouse.reading import Answer, Warehouse

TERMINAL_ROWS: Final = 100


class Format(StrEnum):
    """What rows are written as; JSON is one object a line."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def in_a_folder(output: Path | None) -> Path | None:
    """Refuse a file whose folder is not there, before anything is asked.

    Raises:
        BadParameter: The folder is not there.
    """
    if output is not None and not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}.")
    return output


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="csv, json (an object a line) or parquet; else a table on a terminal, json in a pipe.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        callback=in_a_folder,
        help="File to write to, such as people.csv; its ending may name the format.",
    ),
]


def the_warehouse() -> Warehouse:
    """Give the warehouse of this installation; its database is not needed.

    Raises:
        SettingsError: Something that is set cannot be used.
    """
    from cli.context import load_settings
    from resources.warehouse.reading import Warehouse, warehouse_file

    return Warehouse(warehouse_file(load_settings().data_dir))


def deliver(
    warehouse: Warehouse,
    sql: str,
    parameters: Mapping[str, object] | None = None,
    *,
    form: Format | None,
    output: Path | None,
    title: str = "",
    hide: Collection[str] = (),
    most: int | None = None,
) -> None:
    """Ask and print, or write to a file.

    Args:
        warehouse: Who is asked.
        sql: The question.
        parameters: For the names with a ``$`` in it.
        form: How rows are written; None lets the file's ending or the terminal decide.
        output: The file; None is stdout.
        title: Above a table.
        hide: Columns that only a program needs.
        most: Most rows; None shows a terminal some and everybody else all.

    Raises:
        BadParameter: The format is not told, or cannot be printed.
        Permanent: There is no warehouse, or the question cannot be answered.
        Transient: The warehouse is being built.
    """
    form = _form(form, output)
    if form is Format.PARQUET and output is not None:
        warehouse.save_parquet(sql, parameters, output, most=most)
    else:
        with warehouse.ask(sql, parameters) as answer:
            _write(answer, form, output, title=title, hide=hide, most=most)
    if output is not None:
        say(f"Written to {output}.")


def _form(form: Format | None, output: Path | None) -> Format | None:
    if output is None:
        if form is Format.PARQUET:
            raise typer.BadParameter("Parquet is not for reading: name a file with --output.")
        return form
    ending = output.suffix.removeprefix(".")
    if form is None and ending not in set(Format):
        raise typer.BadParameter(
            f"name the format with --format ({', '.join(Format)}), or by the file's ending.",
            param_hint="--output",
        )
    return form or Format(ending)


def _write(
    answer: Answer,
    form: Format | None,
    output: Path | None,
    *,
    title: str,
    hide: Collection[str],
    most: int | None,
) -> None:
    rows = islice(answer.rows, most)
    if form is None:
        _show(answer.columns, rows, title=title, hide=hide, most=most)
        return
    with _opened(output) as file:
        if form is Format.CSV:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(answer.columns)
            writer.writerows(rows)
        else:
            for row in rows:
                line = dict(zip(answer.columns, row, strict=True))
                file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")


def _show(
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
    *,
    title: str,
    hide: Collection[str],
    most: int | None,
) -> None:
    named: Iterator[Row] = (dict(zip(columns, row, strict=True)) for row in rows)
    if not sys.stdout.isatty():
        emit(named)
        return
    shown = list(islice(named, most or TERMINAL_ROWS))
    emit(map(_readable, shown), title=title, empty="No rows.", hide=hide)
    if most is None and next(named, None) is not None:
        say(f"These are the first {TERMINAL_ROWS} rows; --output writes all of them.")


def _readable(row: Row) -> Row:
    """Keep six digits of a fraction: a share of 0.04 is not the same as 0.0."""
    return {
        name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()
    }


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Give stdout, or a file that appears when it is whole."""
    if output is None:
        yield sys.stdout
        return
    fresh = output.with_name(f"{output.name}.new")
    try:
        with fresh.open("w", encoding="utf-8", newline="") as file:
            yield file
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)
