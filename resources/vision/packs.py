"""Where a model pack lies, how it comes there, and what is in it.

A pack is a folder of ONNX files as insightface lays them out: `<root>/models/<name>/*.onnx`.
Only paths, shapes and digests here; nothing is run.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archive.errors import Permanent
from resources.vision.digests import require_known, sha256_of
from resources.vision.known_models import KnownModel, Role

DEFAULT_ROOT = Path("~/.insightface")
_SMALLEST_RECOGNISER_INPUT = 112  # pixels; ArcFace and everything trained after it
_LANDMARK_INPUT = 192  # insightface's 2d106 and 3d68 landmark models: square too, not recognisers


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack on disk.

    Attributes:
        folder: Where it lies.
        detector: ONNX file that finds faces.
        recogniser: ONNX file that embeds them.
        dims: Length of an embedding.
        detector_sha256: Hex digest of the file.
        recogniser_sha256: Hex digest of the file.
    """

    folder: Path
    detector: Path
    recogniser: Path
    dims: int
    detector_sha256: str
    recogniser_sha256: str

    @property
    def files(self) -> Mapping[Role, Path]:
        """What is loaded of it."""
        return {"detector": self.detector, "recogniser": self.recogniser}


def open_pack(model: KnownModel, models_dir: Path | None) -> Pack:
    """Find a pack, fetch it if insightface can, and look whether its files are the right ones.

    Args:
        model: From the registry, or an own folder's.
        models_dir: Root with a folder `models`; None means insightface's own.

    Raises:
        Permanent: The folder is missing and cannot be fetched, holds no detector and recogniser,
            or other files than are known; the message names the folder and what to do.
    """
    pack = inspect(find_folder(model.name, models_dir) or _fetched(model, _root(models_dir)))
    require_known(model, pack.files)
    return pack


def find_folder(name: str, models_dir: Path | None) -> Path | None:
    """Find where a pack lies; None where it does not.

    Accepts `<root>/models/<name>` and `<root>/<name>`; some archives nest the name once more.
    """
    root = _root(models_dir)
    places = (root / "models" / name, root / "models" / name / name, root / name)
    return next((place for place in places if any(place.glob("*.onnx"))), None)


def own_packs(models_dir: Path | None) -> list[str]:
    """Name the packs that lie there, known or not, in order."""
    root = _root(models_dir)
    folders = [*(root / "models").glob("*/"), *root.glob("*/")]
    names = {folder.name for folder in folders if folder.name != "models"}
    return sorted(name for name in names if find_folder(name, root) is not None)


def _root(models_dir: Path | None) -> Path:
    return (models_dir or DEFAULT_ROOT).expanduser().absolute()


def _fetched(model: KnownModel, root: Path) -> Path:
    if model.fetched_by_insightface:
        _fetch(model, root)
    folder = find_folder(model.name, root)
    if folder is None:
        raise Permanent(_missing(model, root))
    return folder


def _missing(model: KnownModel, root: Path) -> str:
    return (
        f"model pack `{model.name}` not found in {root / 'models' / model.name}: "
        f"{model.how_to_get}, or choose another model"
    )


def _fetch(model: KnownModel, root: Path) -> None:
    import requests
    from insightface.utils.storage import ensure_available

    try:
        # It reports progress with print, which would break JSON lines on standard output.
        with contextlib.redirect_stdout(io.StringIO()):
            ensure_available("models", model.name, root=str(root))
    except (requests.RequestException, OSError, RuntimeError, zipfile.BadZipFile) as exc:
        raise Permanent(f"{_missing(model, root)} (fetching it failed: {exc})") from exc


def inspect(folder: Path) -> Pack:
    """Tell which file of a folder finds faces and which embeds them.

    Raises:
        Permanent: One is missing or cannot be read.
    """
    from insightface.model_zoo.package_manifest import has_model_package_manifest

    if has_model_package_manifest(str(folder)):
        # Its manifest, not the shapes, says how to prepare the input; guessing would give
        # vectors that look right and are not.
        raise Permanent(f"{folder} is a pack with a manifest, which is not supported yet")
    found: dict[str, tuple[Path, int]] = {}
    for path in sorted(folder.glob("*.onnx")):
        role, dims = _role(path)
        if role != "other":
            found.setdefault(role, (path, dims))
    missing = {"detector", "recogniser"} - found.keys()
    if missing:
        raise Permanent(f"{folder} holds no {' and no '.join(sorted(missing))} (.onnx)")
    detector, _ = found["detector"]
    recogniser, dims = found["recogniser"]
    return Pack(folder, detector, recogniser, dims, sha256_of(detector), sha256_of(recogniser))


def _role(path: Path) -> tuple[Literal["detector", "recogniser", "other"], int]:
    """Tell what a file does from its shapes, by insightface's own rules, and its output's width."""
    import onnx

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception as exc:  # a damaged file fails inside protobuf in many ways
        raise Permanent(f"{path} is not a readable ONNX file: {exc}") from exc
    if len(graph.output) >= 5:
        return "detector", 0
    sides = [dim.dim_value for dim in graph.input[0].type.tensor_type.shape.dim[2:4]]
    output = graph.output[0].type.tensor_type.shape.dim
    is_recogniser = (
        len(graph.output) == 1
        and len(sides) == 2
        and sides[0] == sides[1]
        and sides[0] >= _SMALLEST_RECOGNISER_INPUT
        and sides[0] % 16 == 0
        and sides[0] != _LANDMARK_INPUT
        and len(output) == 2
    )
    return ("recogniser", int(output[1].dim_value)) if is_recogniser else ("other", 0)
