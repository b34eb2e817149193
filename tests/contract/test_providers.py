"""What every provider promises, for those that this machine has.

The others (CUDA, TensorRT, CoreML, on machines without their hardware) are held to choosing,
refusing and recording; what they compute has to be shown where they run: this module does that
by itself on such a machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import onnxruntime
import pytest

from archive.errors import Permanent
from archive.faces.engine import FaceEngine
from archive.faces.geometry import iou
from archive.faces.records import DetectedFace, Pixels, Provider
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec
from resources.vision.providers import available_providers, choose_provider, open_session

PROVIDERS: tuple[Provider, ...] = get_args(Provider)


def engine(shared_data: Path, *providers: str) -> FaceEngine:
    models = shared_data / "models" / "insightface"
    return EngineSpec(
        "scrfd_mobilefacenet", models, accept_noncommercial=True, providers=providers
    ).build()


@pytest.fixture(scope="module")
def people(shared_data: Path) -> list[Pixels]:
    paths = sorted((shared_data / "faces" / "lfw10").glob("*/*_000[1-4].jpg"))
    return [decode_photo(path.read_bytes()).pixels for path in paths]


@pytest.fixture(params=[name for name in PROVIDERS if name != "cpu"])
def provider(request: pytest.FixtureRequest) -> Provider:
    if request.param not in available_providers():
        pytest.skip(f"this machine has no {request.param}")
    name: Provider = request.param
    return name


def test_each_finds_the_faces_of_the_processor_and_gives_them_the_same_vectors(
    shared_data: Path, people: list[Pixels], provider: Provider
) -> None:
    ours, other = engine(shared_data, "cpu"), engine(shared_data, provider)

    assert other.model.provider == provider
    assert other.model.detector_version == ours.model.detector_version
    for picture in people:
        faces, same = ours.detect(picture), other.detect(picture)
        assert len(faces) == len(same)
        pairs = [(face, _of(face, same)) for face in faces]
        vectors = ours.embed(picture, [face for face, _ in pairs])
        theirs = other.embed(picture, [face for _, face in pairs])
        large = np.array([face.box.side >= 48 for face, _ in pairs])
        assert ((vectors * theirs).sum(axis=1)[large] > 0.999).all()


def _of(face: DetectedFace, faces: list[DetectedFace]) -> DetectedFace:
    found = max(faces, key=lambda each: iou(each.box, face.box))
    assert iou(found.box, face.box) > 0.9
    return found


def test_each_that_is_missing_is_refused_with_the_way_out() -> None:
    for name in set(PROVIDERS) - set(available_providers()):
        with pytest.raises(Permanent, match=f"none of the providers {name} is here.*install"):
            choose_provider([name])


def test_the_first_that_is_here_is_taken() -> None:
    missing = sorted(set(PROVIDERS) - set(available_providers()))

    assert choose_provider([*missing, "cpu"]) == "cpu"
    assert choose_provider(["cpu", *missing]) == "cpu"
    assert choose_provider(["auto"]) in available_providers()


def test_slow_starters_are_never_chosen_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [
        "TensorrtExecutionProvider", "CUDAExecutionProvider",
        "CoreMLExecutionProvider", "CPUExecutionProvider",
    ]  # fmt: skip
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: everything)

    assert choose_provider(["auto"]) == "cuda"
    assert choose_provider(["tensorrt", "cuda", "cpu"]) == "tensorrt"
    assert choose_provider(["coreml"]) == "coreml"


def test_a_provider_that_does_not_start_is_an_error_and_no_slow_success(
    shared_data: Path,
) -> None:
    if "cuda" in available_providers():
        pytest.skip("it does start here")
    detector = next((shared_data / "models").rglob("det_*.onnx"))

    with (
        pytest.warns(UserWarning, match="not in available"),
        pytest.raises(Permanent, match="does not start"),
    ):
        open_session(detector, "cuda")


def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Permanent, match="no provider is called 'gpu'"):
        choose_provider(["gpu"])
