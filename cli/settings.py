"""`face-archive settings`: show every value, where it comes from, or a `.env` to start from.

Reading and checking settings is `resources.settings`' business; this module only prints.
"""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from resources.settings import DEFAULT_ENV_FILE, Settings, SettingsError, settings_env_example
from resources.settings_text import SettingRow

EXIT_BAD_SETTINGS: Final = 2


def settings_command(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line instead of a table.")
    ] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print a .env with every setting and its default.")
    ] = False,
    env_file: Annotated[Path, typer.Option(help="The file to read.")] = DEFAULT_ENV_FILE,
) -> None:
    """Show every setting with its value and origin; secrets are masked."""
    if example:
        typer.echo(settings_env_example(), nl=False)
        return
    try:
        rows = Settings.load(env_file).describe()
    except SettingsError as exc:
        for problem in exc.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(EXIT_BAD_SETTINGS) from None
    if as_json:
        for row in rows:
            typer.echo(json.dumps(dataclasses.asdict(row)))
    else:
        Console().print(_table(rows))


def _table(rows: tuple[SettingRow, ...]) -> Table:
    table = Table(title="Settings", title_justify="left")
    table.add_column("Name", no_wrap=True)
    table.add_column("Value", overflow="fold")
    table.add_column("Origin")
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            table.add_section()
        value = Text(f"{row.value} {row.unit}" if row.value else f"({row.default})")
        table.add_row(row.name, value, row.origin)
    return table
