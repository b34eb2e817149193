"""Another model for real photos: vectors of crops are those of pictures, and nobody is lost."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
import psutil
import pytest

from archive.errors import ItemRejected
from archive.faces.geometry import iou
from archive.faces.records import DetectedFace
from archive.ids import FaceId
from archive.migrating.embedding import Embedded, embed_missing
from archive.migrating.ports import FaceCrop, Wishes
from archive.migrating.switching import begin
from archive.searching import EVERYTHING
from cli.context import open_toolbox
from resources.blobs import BlobStore
from resources.migrating import migration_tools
from resources.store.database import Database
from resources.store.holdings import HoldingStore
from resources.store.migrating import MigrationStore
from resources.store.model_in_use import ModelInUse
from resources.store.search import FaceSearchStore
from resources.toolbox import Toolbox
from resources.vision.crop_faces import CropEmbedder
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec
from resources.vision.pool import AnalystPool
from tests.fixtures.album import Album
from tests.integration.cli.conftest import Shell, installed, shell
from tests.integration.vision.conftest import pack_spec

__all__ = ["installed", "pack_spec", "shell"]

DLIB: Final = EngineSpec("dlib")
PACK: Final = "scrfd_mobilefacenet"
PHOTOS: Final = 4


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Path]:
    """Some photos of each of ten people."""
    people = sorted((shared_data / "faces" / "lfw10").iterdir())
    return [photo for person in people for photo in sorted(person.glob("*.jpg"))[:PHOTOS]]


@pytest.fixture
def album(
    installed: Shell, database: Database, pack_spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> Album:
    """An archive without photos yet, whose commands find the pack."""
    monkeypatch.setenv("FACE_ARCHIVE_MODELS_DIR", str(pack_spec.models_dir))
    album = Album(database, BlobStore(installed.folder / "data" / "blobs"))
    album.begin()
    return album


async def embedded(album: Album, spec: EngineSpec) -> dict[FaceId, np.ndarray]:
    """Embed every crop by a model that has not seen the pictures."""
    store = MigrationStore(album.database)
    async with AnalystPool(spec, workers=1) as pool:
        embedder = CropEmbedder(pool, spec)
        faces = store.lacking(spec.model_name, None, None, 1000)
        answers = [await embedder.embed(album.blobs.get(f.crop_key), f) for f in faces]
    return {face.face_id: answer.vector for face, answer in zip(faces, answers, strict=True)}


def seen(spec: EngineSpec, photo: Path, face: FaceCrop) -> np.ndarray | None:
    """Embed what a model sees of a face in its picture; None where it sees nothing."""
    engine = spec.build()
    pixels = decode_photo(photo.read_bytes()).pixels
    found = engine.detect(pixels)
    best: DetectedFace | None = max(found, key=lambda one: iou(one.box, face.box), default=None)
    if best is None or iou(best.box, face.box) < 0.5:
        return None
    vector: np.ndarray = engine.embed(pixels, [best])[0]
    return vector


@pytest.mark.parametrize("other", [PACK, pytest.param("dlib", marks=pytest.mark.slow)])
def test_a_vector_of_a_crop_is_like_that_of_the_picture(
    album: Album, photos: Sequence[Path], pack_spec: EngineSpec, other: str
) -> None:
    before, after = (DLIB, pack_spec) if other == PACK else (pack_spec, DLIB)
    few = photos[::5]
    album.add(few, before)
    faces = {f.face_id: f for f in MigrationStore(album.database).lacking(other, None, None, 99)}
    rows = album.execute("SELECT face_id, content_key FROM faces")
    photo_of = {face_id: few[album.keys.index(key)] for face_id, key in rows}

    vectors = asyncio.run(embedded(album, after))

    pairs = [
        (vector, whole)
        for face_id, vector in vectors.items()
        if (whole := seen(after, photo_of[face_id], faces[face_id])) is not None
    ]
    cosines = np.asarray([float(np.asarray(one) @ np.asarray(two)) for one, two in pairs])
    assert len(pairs) >= len(few)
    assert np.median(cosines) >= 0.97
    assert np.mean(cosines >= 0.95) >= 0.9
    assert cosines.min() >= 0.92


def test_a_model_that_names_the_same_points_makes_the_vector_of_the_picture_again(
    album: Album, photos: Sequence[Path], pack_spec: EngineSpec, tmp_path: Path
) -> None:
    assert pack_spec.models_dir is not None
    shutil.copytree(
        pack_spec.models_dir / "models" / PACK,
        tmp_path / "packs" / "models" / "mine",
        copy_function=shutil.copyfile,
    )
    album.add(photos[::4], pack_spec)
    mine = replace(pack_spec, model_name="mine", models_dir=tmp_path / "packs")

    vectors = asyncio.run(embedded(album, mine))

    # Of a face of 20 pixels the crop's own compression is what is seen.
    rows = album.execute(
        "SELECT face_id, embedding::text FROM embeddings JOIN faces USING (face_id)"
        " WHERE least(x2 - x1, y2 - y1) >= 60"
    )
    whole = {
        FaceId(UUID(str(face_id))): np.asarray(json.loads(str(text))) for face_id, text in rows
    }
    assert len(whole) == len(photos[::4])
    assert min(float(np.asarray(vectors[each]) @ whole[each]) for each in whole) >= 0.99


def test_a_crop_that_is_no_picture_is_refused_and_the_worker_goes_on(
    album: Album, photos: Sequence[Path], pack_spec: EngineSpec
) -> None:
    album.add(photos[:1], DLIB)
    (face,) = MigrationStore(album.database).lacking(PACK, None, None, 99)

    async def go() -> None:
        async with AnalystPool(pack_spec, workers=1) as pool:
            embedder = CropEmbedder(pool, pack_spec)
            with pytest.raises(ItemRejected):
                await embedder.embed(b"no picture", face)
            there = await embedder.embed(album.blobs.get(face.crop_key), face)
            assert np.linalg.norm(there.vector) == pytest.approx(1.0, abs=1e-3)

    asyncio.run(go())


def test_a_change_of_models_outlives_its_workers(
    installed: Shell, album: Album, photos: Sequence[Path], pack_spec: EngineSpec
) -> None:
    """An archive's crops are its own: one that makes a runtime crash ends a worker, never more."""
    album.add(photos[:1], DLIB)

    async def go(toolbox: Toolbox) -> Embedded:
        async with migration_tools(toolbox, pack_spec) as tools:
            migration = begin(tools.store, tools.embedder.model, Wishes())
            for child in psutil.Process().children():
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
                    child.wait()
                    killed.append(child.pid)
            return await embed_missing(tools.store, migration, tools.embedder, tools.crops)

    killed: list[int] = []
    with open_toolbox() as toolbox:
        result = asyncio.run(go(toolbox))

    assert killed
    assert (result.done, result.refused.total(), result.complete) == (1, 0, True)


def people_of(album: Album) -> list[tuple[object, ...]]:
    return album.execute(
        "SELECT face_id, identity_id, label, number"
        " FROM assignments JOIN identities USING (identity_id) ORDER BY 1"
    )


def test_an_archive_goes_to_another_model_and_back_and_everybody_stays(
    installed: Shell, album: Album, photos: Sequence[Path]
) -> None:
    album.add(photos, DLIB)
    installed.rows("identify")
    album.execute("UPDATE identities SET label = 'Person ' || number")
    before, vectors = people_of(album), album.execute("SELECT * FROM embeddings ORDER BY face_id")
    consent = "--accept-noncommercial"

    (planned,) = installed.rows("models", "migrate", PACK, "--dry-run", consent)
    assert planned["to_embed"] == planned["faces"] >= len(photos)
    assert (planned["from"], planned["megabytes_to_download"]) == ("dlib", 0.0)
    assert planned["megabytes_of_crops"] > 0.0
    assert MigrationStore(album.database).latest() is None
    assert installed.run("models", "migrate", PACK, consent, typed="n\n").exit_code == 1
    assert MigrationStore(album.database).latest() is None

    told, done = installed.rows("models", "migrate", PACK, "--yes", consent)
    assert (told["embedded"], told["refused"]) == (planned["faces"], 0)
    assert (told["outcome"], told["verdict"]) == ("switched", "not worse")
    assert (done["model"], done["identities"]) == (PACK, 10)
    assert ModelInUse(album.database).name() == PACK
    assert set(before) <= set(people_of(album))
    assert HoldingStore(album.database).mixture(PACK).faces == 0
    assert "FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS=true" in (installed.folder / ".env").read_text(
        encoding="utf-8"
    )

    search = FaceSearchStore(album.database)
    face_id = FaceId(before[0][0])  # type: ignore[arg-type]
    vector = search.vector(face_id, PACK)
    assert vector is not None
    nearest = search.nearest(vector, PACK, EVERYTHING, most=3)
    assert face_id in {found.face_id for found in nearest.faces}

    (state,) = installed.rows("models", "migrate", "--status")
    assert (state["state"], state["evaluation"]["verdict"]) == ("switched", "not worse")
    assert installed.rows("models", "migrate", PACK, "--dry-run") == []
    (again,) = installed.rows("models", "migrate", PACK, "--yes")
    assert (again["assigned"], again["founded"]) == (0, 0)

    told, done = installed.rows("models", "migrate", "dlib", "--yes", "--force")
    assert (told["embedded"], done["model"]) == (0, "dlib")
    assert set(before) <= set(people_of(album))
    assert vectors == album.execute(
        "SELECT * FROM embeddings WHERE model = 'dlib' ORDER BY face_id"
    )


def test_what_is_no_change_is_told(installed: Shell, album: Album) -> None:
    assert "models use" in installed.run("models", "migrate", "dlib", "--yes").output
    assert installed.run("models", "migrate", "--abort").exit_code == 4
    assert installed.run("models", "migrate").exit_code == 2
    assert installed.run("models", "migrate", "dlib", "--status").exit_code == 2
    assert installed.run("models", "migrate", "--abort", "--status").exit_code == 2
    assert installed.run("models", "migrate", "--status").exit_code == 0


def test_a_threshold_that_is_set_fits_no_other_model(
    installed: Shell, album: Album, photos: Sequence[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    album.add(photos[:1], DLIB)
    monkeypatch.setenv("SIMILARITY_THRESHOLD", "0.92")
    result = installed.run("models", "migrate", PACK, "--yes", "--accept-noncommercial")
    assert result.exit_code == 4
    assert "SIMILARITY_THRESHOLD" in result.output
