"""`face-archive models`: which models there are, and what is known of each.

Lists and shows, and registers the commands of the group: their files (`cli.models_files`),
which one is used (`cli.models_use`) and packs of one's own (`cli.models_add`). What is
known stands in `resources.vision.registry`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.context import open_toolbox
from cli.model_choice import say_what_is_used
from cli.models_add import add_command
from cli.models_files import fetch_command, verify_command
from cli.models_migrate import migrate_command
from cli.models_use import use_command
from cli.output import Row, emit, say
from resources.store.holdings import Holding
from resources.vision.known_models import KnownModel
from resources.vision.models import DLIB, look_up
from resources.vision.packs import find_folder, own_packs
from resources.vision.registry import REGISTRY

models_app = typer.Typer(
    no_args_is_help=True, help="Which face models there are, their files, and the one in use."
)


@models_app.command("list")
def list_command() -> None:
    """List the models: what they allow, how large they are, whether they are here and in use.

    The one in use is that of the archive's first faces until `models migrate` changes it; before
    them the setting says it. `faces` and `vectors` say what each has left in this archive. Accuracy
    is as published; which to choose is `docs/models.md`.

    For example:

    - `face-archive models list`
    """
    with open_toolbox() as toolbox:
        held = {each.model: each for each in toolbox.holdings.by_model()}
        in_use, folder = toolbox.engine_spec.model_name, toolbox.settings.models_dir
        say_what_is_used(toolbox)
    own = [name for name in own_packs(folder) if name not in REGISTRY]
    names = dict.fromkeys([*REGISTRY, *own, *held, in_use])
    emit((_row(look_up(each), in_use, folder, held) for each in names), title="Models")


@models_app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="`dlib`, or the name of a pack.")],
) -> None:
    """Show what is known of a model, and where each number comes from.

    For example:

    - `face-archive models show buffalo_l`
    """
    model = look_up(name)
    emit(_facts(model), title=model.name)
    if model.unusable:
        say(f"It cannot be used: {model.unusable}.")


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    models_app.command("verify")(verify_command)
    models_app.command("fetch")(fetch_command)
    models_app.command("use")(use_command)
    models_app.command("migrate")(migrate_command)
    models_app.command("add")(add_command)
    app.add_typer(models_app, name="models")


def _row(model: KnownModel, in_use: str, folder: Path, held: dict[str, Holding]) -> Row:
    holding = held.get(model.name, Holding(model.name, 0, 0))
    return {
        "model": model.name,
        "in_use": model.name == in_use,
        "here": model.name == DLIB or find_folder(model.name, folder) is not None,
        "allows": model.allows,
        "dims": model.dims or None,
        "megabytes": model.megabytes,
        "lfw_percent": _published(model, "LFW"),
        "faces": holding.faces,
        "vectors": holding.vectors,
        "unusable": model.unusable or None,
    }


def _published(model: KnownModel, test: str) -> str | None:
    return next((f"{each.percent:.2f}" for each in model.accuracy if each.test == test), None)


def _facts(model: KnownModel) -> Iterator[Row]:
    yield _fact("model", "licence", model.licence)
    yield _fact("model", "allows", model.allows)
    yield _fact("model", "made by", model.source)
    yield _fact("model", "numbers a face", model.dims or "unknown")
    yield _fact("model", "alignment", model.alignment)
    yield _fact("model", "runs on", ", ".join(model.providers))
    yield _fact("model", "to get it", model.how_to_get)
    for part in model.parts:
        yield _fact(part.role, "network", part.network)
        yield _fact(part.role, "file", part.file or "–")
        yield _fact(part.role, "sha256", part.sha256 or "unknown", part.sha256_from)
        yield _fact(part.role, "input", f"{part.input_pixels} px" if part.input_pixels else "any")
        if part.licence:
            yield _fact(part.role, "licence", part.licence)
    numbers = asdict(model.thresholds)
    for grounds in model.grounds:
        for threshold in grounds.thresholds:
            yield _fact("threshold", threshold, f"{numbers[threshold]:g}", grounds.source)
    for figure in model.accuracy:
        yield _fact("accuracy", figure.test, f"{figure.percent:.2f} %", figure.source)


def _fact(of: str, name: str, value: object, source: object = None) -> Row:
    return {"of": of, "name": name, "value": value, "source": source and str(source)}
