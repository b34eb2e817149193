"""`models verify` and `models fetch`: whether a model's files are the right ones, and getting them.

Prints what `resources.vision` finds: digests are `digests`, fetching a pack is `packs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from archive.errors import Permanent
from cli.context import load_settings
from cli.exits import ExitCode
from cli.model_choice import checked_model
from cli.output import emit, say
from resources.settings import Settings
from resources.vision.digests import State, Verdict, judge, note_seen
from resources.vision.dlib_engine import model_files
from resources.vision.known_models import KnownModel, Role
from resources.vision.models import DLIB, look_up, require_usable
from resources.vision.packs import find_folder, inspect, open_pack, own_packs

_WAY_OUT = "`face-archive models fetch NAME` gets it, or tells you how."


def verify_command(
    name: Annotated[
        str | None, typer.Argument(help="`dlib`, or the name of a pack; else all that are here.")
    ] = None,
) -> None:
    """Compare a model's files with the sha256 that is known; exits with 1 if one differs.

    Of a pack whose digests nobody publishes, what is there now is noted beside it, in SHA256SUMS,
    and trusted: from then on any other file is refused. The same comparison is made before a model
    is loaded.

    For example:

    - `face-archive models verify`
    - `face-archive models verify buffalo_l`
    """
    settings = load_settings()
    here = [each for each in own_packs(settings.models_dir) if not look_up(each).unusable]
    names = [name] if name else [DLIB, *here]
    verdicts = {each: _judged(look_up(each), settings) for each in names}
    rows = [_row(model, each) for model, found in verdicts.items() for each in found]
    emit(rows, title="Files", hide=("path",))
    for model, found in verdicts.items():
        _note(model, found)
    if any(each.state is State.DIFFERS for found in verdicts.values() for each in found):
        raise typer.Exit(ExitCode.FAILED)


def fetch_command(
    name: Annotated[str, typer.Argument(help="Name of a pack.")],
    *,
    accept_noncommercial: Annotated[
        bool,
        typer.Option(
            "--accept-noncommercial",
            help="Your use is allowed by a licence for non-commercial research only.",
        ),
    ] = False,
) -> None:
    """Get a model's files where insightface offers them, else say what to do; then verify them.

    For example:

    - `face-archive models fetch buffalo_l --accept-noncommercial`
    """
    settings, model = load_settings(), look_up(name)
    require_usable(model)
    consent = accept_noncommercial or settings.accept_noncommercial_models
    checked_model(name, accept_noncommercial=consent)
    if name != DLIB:
        say(f"The pack is in {open_pack(model, settings.models_dir).folder}.")
    verify_command(name)


def _judged(model: KnownModel, settings: Settings) -> list[Verdict]:
    return judge(model, _files(model, settings.models_dir))


def _files(model: KnownModel, models_dir: Path) -> Mapping[Role, Path]:
    if model.name == DLIB:
        return model_files()
    folder = find_folder(model.name, models_dir)
    if folder is None:
        raise Permanent(f"there is no pack `{model.name}` in {models_dir}. {_WAY_OUT}")
    return inspect(folder).files


def _note(model: str, verdicts: list[Verdict]) -> None:
    if not any(each.state is State.NEW for each in verdicts):
        return
    try:
        note_seen(verdicts)
    except OSError as exc:
        say(f"{model}: what was seen could not be noted, so a change will not be noticed: {exc}")
    else:
        say(f"{model}: nobody publishes these digests; what is there now is trusted from now on.")


def _row(model: str, verdict: Verdict) -> dict[str, object]:
    return {
        "model": model,
        "part": verdict.role,
        "file": verdict.path.name,
        "path": str(verdict.path),
        "sha256": verdict.sha256,
        "expected": verdict.expected,
        "state": verdict.state,
    }
