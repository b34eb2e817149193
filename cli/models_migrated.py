"""What follows on a change of models: the file of settings, pictures to look at, and people.

Each step can be repeated: who was killed in between runs the command again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archive.identify import IdentifyResult, identify
from archive.migrating.looking_again import open_pictures
from archive.migrating.ports import Migration
from archive.reclustering import propose
from archive.redoing import RedoCost
from cli.env_file import changed_names, known_values, write_values
from cli.init_settings import MODEL
from cli.model_choice import ModelChoice
from cli.output import Row, emit, progress, say
from resources.migrating import all_windows, other_engine

if TYPE_CHECKING:
    from archive.faces.records import ModelRecord
    from resources.toolbox import Toolbox


def finish(toolbox: Toolbox, choice: ModelChoice, env_file: Path, *, redetect: bool) -> None:
    """Do what follows on the switch, and say what it came to."""
    _follow(env_file, choice.name)
    accepted = choice.accept_noncommercial
    spec = other_engine(toolbox, choice.name, accept_noncommercial=accepted)
    model = spec.build().model
    latest = toolbox.migrations.latest()
    opened = RedoCost()
    if redetect or (latest and latest.wishes.redetect and latest.opened_at is None):
        with progress("Opening pictures"):
            limits = toolbox.media_pass_options.limits
            opened = open_pictures(toolbox.media, all_windows(toolbox), model, limits)
        if latest is not None:
            toolbox.migrations.opened(latest)
    with progress("Comparing faces"):
        people = identify(
            toolbox.people, model, toolbox.identify_options, cause="face-archive models migrate"
        )
    row = _row(toolbox, model, people, opened, latest)
    emit([row], title=f"{model.name} is in use")
    say(*_next(row, latest))


def _follow(env_file: Path, name: str) -> None:
    """Let a setting that names a model name this one: it is what people look at."""
    if MODEL in known_values(env_file) and changed_names(env_file, {MODEL: name}):
        write_values(env_file, {MODEL: name})
    if os.environ.get(MODEL, name) != name:
        say(f"{MODEL} is set in the environment to another model: change it there, too.")


def _next(row: Row, latest: Migration | None) -> Iterator[str]:
    """Say what there is to do, and what happens by itself."""
    yield "Programs that run load it by themselves."
    if row["pictures_opened"] or row["refused"]:
        yield (
            "Pictures to look at again come by themselves, with their windows; at once: "
            "`face-archive backfill CHAT`."
        )
    if row["recluster_would_propose"]:
        yield "`face-archive identities recluster` shows what the model would group otherwise."
    if row["way_back_until"] and latest is not None:
        yield f"`face-archive models migrate {latest.from_model}` leads back."


def _row(
    toolbox: Toolbox,
    model: ModelRecord,
    people: IdentifyResult,
    opened: RedoCost,
    latest: Migration | None,
) -> Row:
    with progress("Grouping faces"):
        refused = toolbox.migrations.counts(model.name, latest).refused
        proposal = propose(toolbox.people, toolbox.corrections, model, toolbox.identify_options)
    return {
        "model": model.name,
        "refused": refused,
        "pictures_opened": opened.files,
        "probes": people.probes,
        "assigned": people.assigned,
        "founded": people.founded,
        "unassigned": people.unassigned,
        "identities": people.identities,
        "recluster_would_propose": len(proposal.parts),
        "way_back_until": latest
        and latest.old_vectors_until
        and f"{latest.old_vectors_until:%Y-%m-%d} UTC",
    }
