"""The change of models that is under way, or was the last: shown, and ended before its switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.migrating.ports import Migration
from archive.migrating.switching import abort
from cli.output import Row, emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def show(toolbox: Toolbox) -> None:
    """Show the last change of models, under way or not."""
    latest = toolbox.migrations.latest()
    rows = [] if latest is None else [_row(toolbox, latest)]
    emit(rows, title="Change of models", empty="The model was never changed.")


def _row(toolbox: Toolbox, migration: Migration) -> Row:
    counts = toolbox.migrations.counts(migration.to_model, migration)
    kept = migration.old_vectors_until
    return {
        "from": migration.from_model,
        "to": migration.to_model,
        "state": str(migration.state),
        "faces": counts.faces,
        "embedded": counts.embedded,
        "by_estimated_landmarks": counts.estimated,
        "refused": counts.refused,
        "started_at": f"{migration.started_at:%Y-%m-%d %H:%M} UTC",
        "ended_at": migration.ended_at and f"{migration.ended_at:%Y-%m-%d %H:%M} UTC",
        "way_back_until": kept and f"{kept:%Y-%m-%d} UTC",
        "force": migration.wishes.force,
        "redetect": migration.wishes.redetect,
        "evaluation": migration.evaluation,
    }


def end(toolbox: Toolbox) -> None:
    """End what was begun as if it had not been.

    Raises:
        Permanent: Nothing is under way.
        Transient: Another process carries it on.
    """
    migration, removed = abort(toolbox.migrations)
    say(
        f"{migration.from_model} stays in use; {removed} vectors of {migration.to_model} were "
        "removed."
    )
