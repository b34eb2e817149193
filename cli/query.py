"""`face-archive query`: any question in SQL, asked of the warehouse.

Reads what a person typed; answering is `resources.warehouse`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import Row, emit
from cli.warehouse_answers import FormatOption, OutputOption, deliver, the_warehouse

if TYPE_CHECKING:
    from resources.warehouse.reading import MartColumn


def query_command(
    sql: Annotated[
        str | None, typer.Argument(metavar="SQL", help="The question; `-` reads it from stdin.")
    ] = None,
    *,
    tables: Annotated[
        bool, typer.Option("--tables", help="List what can be asked about, column by column.")
    ] = False,
    form: FormatOption = None,
    output: OutputOption = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Most rows; without it a terminal gets 100, all else all.", min=1),
    ] = None,
) -> None:
    """Ask the warehouse in SQL (DuckDB's): who was seen where and when, with whom.

    A question reads the marts and nothing else: no other file, no network, no change.

    For example:

    - `face-archive query --tables`
    - `face-archive query "SELECT label, contents FROM identity_stats ORDER BY 2 DESC LIMIT 5"`
    - `face-archive query "FROM fct_identity_day" --output days.parquet`
    - `face-archive query - --format csv < question.sql`
    """
    if tables == (sql is not None):
        raise typer.BadParameter("give a question, or --tables.", param_hint="SQL")
    warehouse = the_warehouse()
    if sql is None:
        emit(
            _described(warehouse.columns()),
            title="What can be asked about",
            empty="The warehouse is empty.",
        )
        return
    text = sys.stdin.read() if sql == "-" else sql
    deliver(warehouse, text, form=form, output=output, most=limit)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("query")(query_command)


def _described(columns: Iterable[MartColumn]) -> Iterator[Row]:
    """Give a row a table, followed by its columns."""
    for (table, about), own in groupby(columns, key=lambda each: (each.mart, each.mart_about)):
        yield {"table": table, "column": None, "type": None, "about": about}
        for column in own:
            yield {
                "table": table,
                "column": column.name,
                "type": column.data_type,
                "about": column.about,
            }
