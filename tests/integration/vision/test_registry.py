"""What the registry says, held against the files that are here."""

import dataclasses
import hashlib
import re
from pathlib import Path

import pytest

from archive.errors import Permanent
from archive.faces.records import ModelThresholds
from resources.vision import digests
from resources.vision.digests import State, judge, note_seen
from resources.vision.dlib_engine import model_files
from resources.vision.factory import EngineSpec, load_engine
from resources.vision.known_models import KnownModel
from resources.vision.models import look_up
from resources.vision.packs import open_pack
from resources.vision.registry import REGISTRY

MODELS = [*REGISTRY.values(), look_up("an own pack")]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_threshold_of_every_model_says_once_where_it_comes_from(model: KnownModel) -> None:
    explained = [name for grounds in model.grounds for name in grounds.thresholds]

    assert sorted(explained) == sorted(f.name for f in dataclasses.fields(ModelThresholds))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_digest_is_one_and_says_who_says_so(model: KnownModel) -> None:
    for part in model.parts:
        assert (part.sha256 is None) == (part.sha256_from is None)
        assert part.sha256 is None or re.fullmatch("[0-9a-f]{64}", part.sha256)


@pytest.mark.parametrize("name", ["dlib", "scrfd_mobilefacenet"])
def test_the_registry_describes_the_files_that_are_here(name: str, pack_spec: EngineSpec) -> None:
    known = look_up(name)
    engine = load_engine(name, pack_spec.models_dir, accept_noncommercial=True)

    assert engine.model.dims == known.dims
    recogniser = known.part("recogniser")
    assert recogniser is not None
    assert engine.model.recogniser == recogniser.file
    assert engine.model.embedding_version.split("/")[1] == str(recogniser.sha256)[:12]


@pytest.mark.parametrize("name", ["raccoon_s", "raccoon_l", "yunet"])
def test_what_cannot_be_used_says_why_before_anything_is_loaded(name: str) -> None:
    with pytest.raises(Permanent, match=r"cannot be used: .*dlib"):
        load_engine(name, accept_noncommercial=True)


@pytest.fixture
def own_pack(pack_spec: EngineSpec, tmp_path: Path) -> Path:
    """The files of a known pack in a folder that may be written to."""
    assert pack_spec.models_dir is not None
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    for file in (pack_spec.models_dir / "models" / pack_spec.model_name).glob("*.onnx"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_a_file_that_is_not_the_published_one_is_not_loaded(own_pack: Path) -> None:
    folder = own_pack.rename(own_pack.parent / "buffalo_l")

    with pytest.raises(Permanent, match=r"det_2\.5g\.onnx is not the file of model `buffalo_l`"):
        load_engine("buffalo_l", folder.parents[1], accept_noncommercial=True)


def test_a_file_that_nobody_knows_is_trusted_on_first_use_and_held_against_it(
    own_pack: Path, tmp_path: Path
) -> None:
    mine = look_up("mine")
    first = judge(mine, open_pack(mine, tmp_path).files)
    assert {verdict.state for verdict in first} == {State.NEW}

    note_seen(first)
    again = judge(mine, open_pack(mine, tmp_path).files)
    assert {verdict.state for verdict in again} == {State.SEEN}

    damaged = own_pack / "mobilefacenet.onnx"
    # Past the graph: an attribute of the file that no shape shows.
    damaged.write_bytes(damaged.read_bytes() + b"\x3a\x00")
    with pytest.raises(Permanent, match=r"mobilefacenet\.onnx is not the file"):
        open_pack(mine, tmp_path)


def test_an_unchanged_file_is_read_once_a_process(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    before = digests._sha256.cache_info()

    assert digests.sha256_of(file) == digests.sha256_of(file)
    file.write_bytes(b"another")
    assert digests.sha256_of(file) == hashlib.sha256(b"another").hexdigest()

    after = digests._sha256.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (2, 1)


def test_dlibs_wheel_has_the_known_files() -> None:
    assert {verdict.state for verdict in judge(look_up("dlib"), model_files())} == {State.KNOWN}
