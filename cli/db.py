"""`face-archive db`: bring the archive's tables up to date, and say how far they are.

Migrations themselves are `resources.store.migrate`; the embedded server starts where it is needed.
"""

from __future__ import annotations

import typer

from cli.context import load_settings
from cli.output import emit, say
from resources.databases import databases
from resources.store.migrate import Migration, migrate, status

db_app = typer.Typer(no_args_is_help=True, help="The archive's database and its migrations.")


@db_app.command("migrate")
def migrate_command() -> None:
    """Apply the migrations that the database lacks; run again it does nothing.

    For example:

    - `face-archive db migrate`
    """
    with databases(load_settings()) as urls:
        applied = migrate(urls.archive)
    emit((_row(each, applied=True) for each in applied), title="Applied", empty="Up to date.")


@db_app.command("status")
def status_command() -> None:
    """List every migration and whether the database has it; changes nothing.

    For example:

    - `face-archive db status`
    """
    with databases(load_settings()) as urls:
        known = status(urls.archive)
    emit((_row(each, applied=each.applied) for each in known), title="Migrations")
    missing = sum(not each.applied for each in known)
    say(f"{missing} missing: run `face-archive db migrate`." if missing else "Up to date.")


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    app.add_typer(db_app, name="db")


def _row(migration: Migration, *, applied: bool) -> dict[str, object]:
    return {"number": migration.number, "name": migration.name, "applied": applied}
