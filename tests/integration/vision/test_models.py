import shutil
from pathlib import Path

import pytest

from archive.errors import Permanent
from resources.vision import packs
from resources.vision.factory import EngineSpec, load_engine
from resources.vision.models import look_up


def test_a_non_commercial_pack_needs_consent_and_the_refusal_names_the_alternatives() -> None:
    with pytest.raises(Permanent) as refused:
        load_engine("buffalo_l")

    for needed in ("accept_noncommercial_models", "auraface", "dlib", "non-commercial"):
        assert needed in str(refused.value)


def test_an_unknown_pack_counts_as_non_commercial() -> None:
    with pytest.raises(Permanent, match="unknown"):
        load_engine("found_in_a_forum")


def test_free_models_need_no_consent() -> None:
    assert look_up("dlib").commercial_use
    assert look_up("auraface").commercial_use
    assert load_engine("dlib").model.licence == "dlib models: CC0; dlib: Boost"


def test_a_missing_pack_names_the_folder_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Permanent) as missing:
        load_engine("auraface", tmp_path)

    assert str(tmp_path / "models" / "auraface") in str(missing.value)
    assert "fal/AuraFace-v1" in str(missing.value)


def test_a_pack_that_cannot_be_fetched_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_args: object, **_options: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("insightface.utils.storage.ensure_available", no_network)

    with pytest.raises(Permanent) as missing:
        load_engine("buffalo_l", tmp_path, accept_noncommercial=True)

    assert str(tmp_path / "models" / "buffalo_l") in str(missing.value)
    assert "no route to host" in str(missing.value)


def test_a_folder_without_models_or_with_damaged_ones_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "auraface"
    folder.mkdir(parents=True)
    (folder / "broken.onnx").write_bytes(b"not a graph at all")

    with pytest.raises(Permanent, match=r"broken\.onnx|no detector"):
        load_engine("auraface", tmp_path)


def test_an_own_pack_is_inspected_and_named_after_its_folder(
    pack_spec: EngineSpec, tmp_path: Path
) -> None:
    assert pack_spec.models_dir is not None
    original = pack_spec.models_dir / "models" / pack_spec.model_name
    shutil.copytree(original, tmp_path / "models" / "mine", copy_function=shutil.copyfile)

    engine = load_engine("mine", tmp_path, accept_noncommercial=True)

    assert (engine.model.name, engine.model.dims) == ("mine", 128)
    assert engine.model.detector_version.startswith("mine/bc24bb34")


def test_half_a_pack_says_what_is_missing(pack_spec: EngineSpec, tmp_path: Path) -> None:
    assert pack_spec.models_dir is not None
    original = pack_spec.models_dir / "models" / pack_spec.model_name
    folder = tmp_path / "models" / "half"
    folder.mkdir(parents=True)
    shutil.copyfile(original / "det_2.5g.onnx", folder / "det_2.5g.onnx")

    with pytest.raises(Permanent, match="no recogniser"):
        packs.open_pack(look_up("half"), tmp_path)
