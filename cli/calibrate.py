"""`face-archive calibrate`: what thresholds cost on your own people, and the one that fits.

Reads what a person typed and prints the report; measuring is `archive.calibrating`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.calibrating import DEFAULT_RATE, apply, measure
from archive.identity.calibration import Calibration, Point, Slice
from archive.identity.rates import Interval, Rate
from cli.context import open_toolbox
from cli.exits import ExitCode
from cli.output import emit, progress, say
from resources.vision.models import look_up

if TYPE_CHECKING:
    from archive.calibrating import Labels
    from resources.toolbox import Toolbox

_ARCHIVE = "archive"


def calibrate_command(
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Labelled photos instead of the archive's people: one sub-folder a person.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    far: Annotated[
        float,
        typer.Option(
            "--far",
            help="False accept rate wanted: how often one stranger may pass for one person.",
            min=0.000001,
            max=0.5,
        ),
    ] = DEFAULT_RATE,
    plot: Annotated[
        Path | None,
        typer.Option(help="Where the picture goes (PNG); else into the data folder."),
    ] = None,
    use: Annotated[
        bool, typer.Option("--apply", help="Use the threshold from now on, for this model.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Go back to the model's own threshold, and stop.")
    ] = False,
) -> None:
    """Measure how well the model in use tells your people apart, and which threshold fits.

    Labels are the people you named, and the faces that you confirmed or rejected. A rate is the
    share of comparisons of one face with one person. `tar` is how often the right person is
    accepted, between 95 % limits: once as if comparisons were independent, once over people drawn
    anew, which is the one to believe. The proposed threshold is the lowest that keeps the rate
    by both. No age is estimated here, so there is no slice by age.

    For example:

    - `face-archive calibrate`
    - `face-archive calibrate --far 0.01 --apply`
    - `face-archive calibrate --folder ~/labelled --plot roc.png`
    - `face-archive calibrate --reset`
    """
    if reset and (use or folder):
        say("--reset goes alone.")
        raise typer.Exit(ExitCode.USAGE)
    with open_toolbox() as toolbox:
        if reset:
            _reset(toolbox)
            return
        model = toolbox.engine_spec.model_name
        rules = toolbox.identify_options.rules(look_up(model).thresholds)
        with _labels(toolbox, folder) as labels:
            calibration = measure(labels, model, rules, rate=far)
        source = folder.name if folder else _ARCHIVE
        _show(calibration)
        _draw(calibration, f"{model}, {source}", plot or _picture(toolbox))
        if use:
            # Loaded for its record: the threshold is about these very files.
            record, now = toolbox.engine_spec.build().model, datetime.now(UTC)
            apply(toolbox.thresholds, record, calibration, source=source, now=now)
        emit([_threshold_row(toolbox, model, calibration)], title="Threshold")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("calibrate")(calibrate_command)


def _reset(toolbox: Toolbox) -> None:
    model = toolbox.engine_spec.model_name
    was = toolbox.thresholds.reset(model)
    say(f"{model} uses its own threshold again." if was else f"{model} uses its own already.")


@contextmanager
def _labels(toolbox: Toolbox, folder: Path | None) -> Iterator[Labels]:
    """Give the labels for the length of the body, and say afterwards what was no label."""
    if folder is None:
        yield toolbox.asking
        return
    from resources.labelled_folder import LabelledFolder
    from resources.vision.analyst import Analyst

    with progress("Looking at photos") as advance:
        labels = LabelledFolder(folder, Analyst(toolbox.engine_spec.build()), advance)
        yield labels
    for reason, count in Counter(labels.skipped.values()).items():
        say(f"{count} photos are no label: {reason}.")


def _picture(toolbox: Toolbox) -> Path:
    return toolbox.settings.data_dir / f"calibration-{toolbox.engine_spec.model_name}.png"


def _draw(calibration: Calibration, title: str, path: Path) -> None:
    from resources.plots.calibration import calibration_png

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(calibration_png(calibration, title))
    say(f"The curve is in {path}.")


def _show(calibration: Calibration) -> None:
    points = [*calibration.points, calibration.chosen, calibration.in_use]
    words = ["at this rate"] * len(calibration.points) + ["proposed", "in use"]
    rows = [_point_row(what, point) for what, point in zip(words, points, strict=True)]
    emit(rows, title=f"ROC (equal error rate {calibration.equal_error:.2%})")
    emit(map(_slice_row, calibration.slices), title="The proposed threshold by kind of face")
    labels = calibration.chosen.tar.of
    say(
        f"{calibration.by_hand} labels were given face by face, of {labels} faces compared with "
        "their own person. What the matcher put in a named person itself had passed its threshold: "
        "of such faces nobody knows how many it missed."
    )


def _point_row(what: str, point: Point) -> dict[str, object]:
    return {
        "what": what,
        "wanted_far": point.wanted,
        "threshold": f"{point.threshold:.4f}",
        **_rate("tar", point.tar),
        "tar_over_people": _limits(point.tar_over_people),
        **_rate("far", point.far),
        "far_over_people": _limits(point.far_over_people),
    }


def _slice_row(part: Slice) -> dict[str, object]:
    return {"by": part.by, "faces": part.name, **_rate("tar", part.tar), **_rate("far", part.far)}


def _rate(name: str, rate: Rate) -> dict[str, object]:
    return {
        name: f"{rate.share:.4f}" if rate.of else None,
        f"{name}_limits": _limits(rate.wilson) if rate.of else None,
        f"{name}_of": rate.of,
    }


def _limits(interval: Interval) -> str:
    return f"{interval.low:.4f}–{interval.high:.4f}"


def _threshold_row(toolbox: Toolbox, model: str, calibration: Calibration) -> dict[str, object]:
    by_setting = toolbox.settings.similarity_threshold
    local = toolbox.thresholds.in_force(model)
    own = "applied" if local else "models_own"
    return {
        "model": model,
        "proposed": f"{calibration.chosen.threshold:.4f}",
        "models_own": f"{look_up(model).thresholds.accept:.4f}",
        "applied": f"{local.accept:.4f}" if local else None,
        "applied_from": local.source if local else None,
        "applied_at": f"{local.decided_at:%Y-%m-%d %H:%M} UTC" if local else None,
        "similarity_threshold": by_setting and f"{by_setting:.4f}",
        "holds": own if by_setting is None else "similarity_threshold",
        "people": calibration.people,
        "genuine": calibration.chosen.tar.of,
        "impostors": calibration.chosen.far.of,
    }
