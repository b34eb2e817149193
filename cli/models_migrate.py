"""`models migrate`: another model for an archive that has faces, told first what it takes.

Asks, shows how far it is, and goes on where it stopped; carrying it on is `archive.migrating`, what
follows on the switch `cli.models_migrated`, looking at it and ending it `cli.models_migration`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import Permanent
from archive.migrating.looking_again import cost
from archive.migrating.plan import MigrationPlan, measure_pace
from archive.migrating.ports import Migration, Wishes
from archive.migrating.switching import (
    Carried,
    Stop,
    Tools,
    begin,
    carry_on,
    require_other,
    require_same,
)
from archive.off_loop import off_loop
from cli.context import open_toolbox
from cli.env_file import write_values
from cli.model_choice import CONSENT, ModelChoice, consented_model, require_there
from cli.models_migrated import finish
from cli.models_migration import end, show
from cli.output import Row, emit, progress, say
from resources.migrating import all_windows, migration_tools, other_engine
from resources.settings import DEFAULT_ENV_FILE

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def migrate_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="TO", help="The other model: `dlib`, or the name of a pack."),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would take; change nothing.")
    ] = False,
    redetect: Annotated[
        bool,
        typer.Option("--redetect", help="After the switch, look at every picture again."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Switch even if it tells your people apart worse.")
    ] = False,
    accept_noncommercial: Annotated[
        bool,
        typer.Option(
            "--accept-noncommercial",
            help="Your use is allowed by a licence for non-commercial research only.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    aborting: Annotated[
        bool, typer.Option("--abort", help="End what was begun as if it had not, and stop.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Show the last change of models, and stop.")
    ] = False,
    env_file: Annotated[Path, typer.Option(help="Where a consent is kept.")] = DEFAULT_ENV_FILE,
) -> None:
    """Change the model of an archive that has faces; every name and decision stays.

    Each face is embedded from its crop, so nothing is downloaded, while everything goes on with the
    model in use. Then both are compared on what you decided, and unless the other is worse it is
    used from one moment on. Ended at any time, it goes on where it was when it is run again.
    `models migrate OLD` leads back; for 30 days that is quick.

    For example:

    - `face-archive models migrate buffalo_l --dry-run`
    - `face-archive models migrate buffalo_l`
    - `face-archive models migrate --status`
    - `face-archive models migrate --abort`
    """
    if [name is not None, aborting, status].count(True) != 1:
        raise typer.BadParameter("give the other model, or --status or --abort alone")
    with open_toolbox() as toolbox:
        if name is None:
            (end if aborting else show)(toolbox)
            return
        wishes = Wishes(force, redetect)
        choice = _chosen(toolbox, name, accept_noncommercial=accept_noncommercial)
        if _is_switched(toolbox, choice.name):
            if dry_run:
                say(f"{choice.name} is in use: there is nothing to change.")
            else:
                finish(toolbox, choice, env_file, redetect=redetect)
            return
        began = monotonic()
        carried = asyncio.run(_migrate(toolbox, choice, wishes, env_file, dry_run, yes))
        if carried is None:
            return
        seconds = monotonic() - began
        toolbox.overview.record_stage("migrated_embeddings", None, seconds, carried.embedded)
        emit([_carried_row(carried)], title="Embedded")
        _require_switched(carried, choice.name)
        finish(toolbox, choice, env_file, redetect=redetect)


def _chosen(toolbox: Toolbox, name: str, *, accept_noncommercial: bool) -> ModelChoice:
    """Take the model, after the question of its licence where that is open."""
    require_there(name, toolbox.settings.models_dir)
    accepted = accept_noncommercial or toolbox.settings.accept_noncommercial_models
    known = toolbox.migrations.under_way()
    if known is not None:
        require_same(known, name)
    return consented_model(name, accept_noncommercial=accepted)


def _is_switched(toolbox: Toolbox, name: str) -> bool:
    """Whether a change to this model got as far as the switch: what follows may be left to do."""
    latest = toolbox.migrations.latest()
    in_use = toolbox.migrations.model_in_use()
    return latest is not None and latest.to_model == name == in_use


async def _migrate(
    toolbox: Toolbox,
    choice: ModelChoice,
    wishes: Wishes,
    env_file: Path,
    dry_run: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
) -> Carried | None:
    """Plan, ask, embed and switch; ``None`` where it was only planned."""
    known = toolbox.migrations.under_way()
    in_use = require_other(toolbox.migrations.model_in_use(), choice.name)
    spec = other_engine(toolbox, choice.name, accept_noncommercial=choice.accept_noncommercial)
    async with migration_tools(toolbox, spec) as tools:
        if dry_run or not yes:
            drawn = await _plan(toolbox, tools, in_use, known, redetect=wishes.redetect)
            title = "It would take" if dry_run else "It takes"
            emit([drawn.shown()], title=title, beside=not dry_run)
        if dry_run:
            return None
        if not yes:
            typer.confirm("Change the model?", default=False, abort=True, err=True)
        if choice.accept_noncommercial and not toolbox.settings.accept_noncommercial_models:
            # Before the switch: whoever runs beside this needs it from that moment on.
            write_values(env_file, {CONSENT: "true"})
        async with off_loop(tools.store.alone()):
            migration = await asyncio.to_thread(begin, tools.store, tools.embedder.model, wishes)
            return await _carry(tools, migration)


async def _carry(tools: Tools, migration: Migration) -> Carried:
    counts = await asyncio.to_thread(tools.store.counts, migration.to_model, migration)
    done = 0
    with progress("Embedding faces") as advance:

        def on_batch(faces: int) -> None:
            nonlocal done
            done += faces
            advance(done, max(done, counts.missing))

        advance(0, counts.missing)
        return await carry_on(tools, migration, on_batch=on_batch)


async def _plan(
    toolbox: Toolbox, tools: Tools, in_use: str, known: Migration | None, *, redetect: bool
) -> MigrationPlan:
    model = tools.embedder.model
    pace = await measure_pace(
        tools.store, model.name, known, tools.embedder, tools.crops, clock=monotonic
    )
    limits = toolbox.media_pass_options.limits
    again = cost(toolbox.media, all_windows(toolbox), model, limits) if redetect else None
    return MigrationPlan(
        from_model=in_use,
        to_model=model.name,
        counts=tools.store.counts(model.name, known),
        pace=pace,
        again=again,
        media_per_second=toolbox.overview.media_per_second(),
    )


def _require_switched(carried: Carried, name: str) -> None:
    """Say why the model is still the one before, and what can be done.

    Raises:
        Permanent: It was not switched.
    """
    if carried.stop is Stop.SWITCHED:
        return
    if carried.stop is Stop.WORSE:
        raise Permanent(
            f"{name} tells your people apart worse than the model in use, which stays. "
            f"`face-archive models migrate {name} --force` switches all the same; "
            "`face-archive models migrate --abort` forgets it."
        )
    raise Permanent(
        "more than one face in twenty cannot be embedded from its crop, so the model in use stays. "
        "Is the place of crops (FACE_ARCHIVE_BLOB_URL) all there? Then run it again; with --force "
        "the pictures of those faces are fetched again after the switch."
    )


def _carried_row(carried: Carried) -> Row:
    evaluation = carried.evaluation.shown() if carried.evaluation else {}
    return {
        "embedded": carried.embedded,
        "by_estimated_landmarks": carried.estimated,
        "refused": carried.refused,
        "outcome": str(carried.stop),
        **evaluation,
    }
