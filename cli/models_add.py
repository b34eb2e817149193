"""`models add`: takes in a pack of one's own, after a look into its files and a self-test.

Shows and copies. What a file is says `resources.vision.packs`, whether the pair works
`resources.vision.self_test`, which threshold fits `archive.calibrating`.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.calibrating import DEFAULT_RATE, measure
from archive.errors import Permanent
from archive.identity.rules import Rules
from cli.context import load_settings
from cli.model_choice import consented_model
from cli.models_files import verify_command
from cli.output import Row, emit, progress, say
from resources.vision.models import look_up
from resources.vision.packs import Pack, find_folder, inspect
from resources.vision.registry import REGISTRY

if TYPE_CHECKING:
    from onnx import ValueInfoProto

    from archive.faces.engine import FaceEngine


def add_command(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with the pack's .onnx files.", exists=True, file_okay=False),
    ],
    *,
    name: Annotated[
        str | None, typer.Option(help="What to call it; else as the folder is called.")
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            help="Labelled photos, one sub-folder a person: propose a threshold by them.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    far: Annotated[
        float,
        typer.Option(
            "--far", help="False accept rate wanted of that threshold.", min=0.000001, max=0.5
        ),
    ] = DEFAULT_RATE,
    accept_noncommercial: Annotated[
        bool,
        typer.Option(
            "--accept-noncommercial",
            help="Your use is allowed by its licence, which nobody here knows.",
        ),
    ] = False,
) -> None:
    """Take in a pack of your own: look into its files, try it on a known picture, copy it.

    Its licence is unknown and counts as non-commercial research only; its thresholds are those of
    a 512-d ArcFace model, a guess, until `calibrate --apply` replaces them. Nothing is used yet.

    For example:

    - `face-archive models add ~/packs/mine`
    - `face-archive models add ~/packs/mine --name ours --labelled ~/labelled`
    """
    called, settings = name or folder.name, load_settings()
    _require_new(called, settings.models_dir)
    accepted = accept_noncommercial or settings.accept_noncommercial_models
    consented_model(called, accept_noncommercial=accepted)
    pack = inspect(folder)
    emit(_files(pack), title="Files")
    engine = _engine(called, pack)
    _try_out(engine)
    if labelled is not None:
        _propose(called, engine, labelled, far)
    _copy(pack, settings.models_dir / "models" / called)
    verify_command(called)
    say(f"Next: `face-archive models use {called}`.")


def _require_new(name: str, models_dir: Path) -> None:
    if name in REGISTRY:
        raise Permanent(f"`{name}` is a model we know: `models fetch`, or give it another --name.")
    if find_folder(name, models_dir) is not None:
        raise Permanent(f"there is a pack `{name}` already: give this one another --name.")


def _files(pack: Pack) -> Iterator[Row]:
    import onnx

    for part, path in pack.files.items():
        graph = onnx.load(str(path), load_external_data=False).graph
        yield {
            "part": part,
            "file": path.name,
            "inputs": [_port(each) for each in graph.input],
            "outputs": [_port(each) for each in graph.output],
            "dims": pack.dims if part == "recogniser" else None,
        }


def _port(port: ValueInfoProto) -> str:
    dims = port.type.tensor_type.shape.dim
    shape = " × ".join(str(each.dim_value or each.dim_param or "?") for each in dims)
    return f"{port.name} {shape}"


def _engine(name: str, pack: Pack) -> FaceEngine:
    from resources.vision.insightface_engine import InsightFaceEngine

    return InsightFaceEngine.of_pack(look_up(name), pack)


def _try_out(engine: FaceEngine) -> None:
    from resources.vision.self_test import try_out

    trials = try_out(engine)
    rows = [
        {"question": each.question, "passed": each.passed, "finding": each.finding}
        for each in trials
    ]
    emit(rows, title="Self-test")
    if not all(each.passed for each in trials):
        raise Permanent("the pack fails its self-test: it is not taken in, and nothing is copied.")


def _propose(name: str, engine: FaceEngine, folder: Path, far: float) -> None:
    """Show which threshold the labels ask for; too few are no reason to refuse the pack."""
    from resources.labelled_folder import LabelledFolder
    from resources.vision.analyst import Analyst

    rules = Rules.of(engine.model.thresholds, min_faces=3)
    with progress("Looking at photos") as advance:
        labels = LabelledFolder(folder, Analyst(engine), advance)
        try:
            found = measure(labels, name, rules, rate=far)
        except Permanent as exc:
            say(str(exc))
            return
    for reason, count in Counter(labels.skipped.values()).items():
        say(f"{count} photos are no label: {reason}.")
    row = {
        "model": name,
        "threshold": f"{found.chosen.threshold:.4f}",
        "tar": f"{found.chosen.tar.share:.4f}",
        "far": f"{found.chosen.far.share:.4f}",
        "people": found.people,
    }
    emit([row], title="Proposed threshold")
    say(f"Once it is in use: `face-archive calibrate --folder {folder} --far {far:g} --apply`.")


def _copy(pack: Pack, target: Path) -> None:
    """Copy what is used of a pack; half a copy is never taken for a pack."""
    half = target.with_name(f".{target.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for path in pack.files.values():
        shutil.copyfile(path, half / path.name)
    half.rename(target)
