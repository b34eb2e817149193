"""How a command speaks: rows on stdout for people or programs, remarks and progress on stderr.

On a terminal rows become a table; elsewhere each is one line of JSON, so that a pipe never gets
a word that is not data. What is worth saying belongs to the commands.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

Row = Mapping[str, object]
"""One line of output: names in snake_case, values that JSON knows (or their text)."""

_ENDLESS = 100_000

Advance = Callable[[int, int | None], None]
"""Called with how much is done so far, and of how much (``None`` where nobody knows)."""


def emit(
    rows: Iterable[Row],
    *,
    title: str = "",
    empty: str = "",
    hide: Collection[str] = (),
    as_json: bool | None = None,
    beside: bool = False,
) -> None:
    """Print rows on stdout.

    Args:
        rows: All with the same names in the same order.
        title: Above the table.
        empty: Said instead of a table without rows; a program gets no line at all.
        hide: Names that only a program needs.
        as_json: Force one form; else a terminal gets the table.
        beside: A table on stderr, for a person who is asked about it: no data of a program's.
    """
    if beside:
        as_json = False
    if not sys.stdout.isatty() if as_json is None else as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        return
    listed = [{name: row[name] for name in row if name not in hide} for row in rows]
    if not listed:
        say(empty)
        return
    console = Console(stderr=beside)
    table = _table(listed, title)
    # Asked of an endless terminal, because on a real one the answer always fits.
    endless = console.options.update_width(_ENDLESS)
    fits = Measurement.get(console, endless, table).minimum <= console.width
    console.print(table if fits else _records(listed, title))


def say(*lines: str) -> None:
    """Print remarks for a person on stderr; never data, never a secret."""
    console = Console(stderr=True)
    for line in lines:
        if line:
            console.print(Text(line), soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """Show how far long work is while the body runs; says nothing when not on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _table(rows: Sequence[Row], title: str) -> Table:
    table = Table(title=title or None, title_justify="left")
    for name in rows[0]:
        numbers = all(isinstance(row[name], int | float | None) for row in rows)
        is_flag = any(isinstance(row[name], bool) for row in rows)
        table.add_column(
            name.replace("_", " "),
            justify="right" if numbers and not is_flag else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row.values()))
    return table


def _records(rows: Sequence[Row], title: str) -> Table:
    """Show each row as lines of name and value: for more columns than a terminal has room for."""
    table = Table(title=title or None, title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for row in rows:
        for name, value in row.items():
            table.add_row(name.replace("_", " "), Text(_shown(value)))
        table.add_section()
    return table


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "–"
        case float():
            return f"{value:.1f}"
        case Mapping():
            return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
        case list() | tuple() | set() | frozenset():
            return ", ".join(map(_shown, value))
        case _:
            return str(value)
