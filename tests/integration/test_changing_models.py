"""The model is changed while others work: what the old one made is not stored any more.

The row itself is `tests/integration/store/test_model_in_use.py`; here are those who go by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from archive.correcting import Act
from archive.drawing import draw
from archive.errors import Transient
from archive.faces.records import Box, FoundFace, PictureKind
from archive.identify import IdentifyOptions, identify
from archive.ids import ContentKey
from archive.media_pass.ports import Ranges
from archive.reclustering import propose
from resources.settings import Settings
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.drawings import DrawingStore
from resources.store.faces import ensure_model
from resources.store.model_in_use import ModelInUse, switch
from resources.store.people import PeopleStore
from resources.toolbox import Toolbox
from tests.fakes.media import DIMS, MODEL, OPTIONS, FakeVision, World

NEXT: Final = replace(
    MODEL,
    name="next",
    sha256="1" * 64,
    detector_version="next-detector/1",
    embedding_version="next-embedding/1",
)
PEOPLE: Final = IdentifyOptions(min_faces=1)


@dataclass
class Draws:
    """Vision that sees a face in every box, and lets something happen meanwhile."""

    meanwhile: Callable[[], None]
    model = MODEL

    async def draw(
        self, data: bytes | Ranges, kind: PictureKind, box: Box, *, seconds: float = 0.0
    ) -> FoundFace:
        self.meanwhile()
        vector, points = np.eye(DIMS, dtype=np.float32)[0], np.zeros((5, 2), np.float32)
        return FoundFace(seconds, box, points, MODEL.landmark_schema, 0.9, 0.8, vector, b"webp")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def use(database: Database) -> Callable[[], None]:
    """Changes the model in use to the next one, as a migration ends."""

    def change() -> None:
        with database.transaction() as connection:
            ensure_model(connection, NEXT)
            switch(connection, NEXT.name)

    return change


def toolbox(world: World, model: str | None) -> Toolbox:
    return Toolbox(Settings(model=model), world.database)


def stored(world: World) -> dict[str, int]:
    tables = ("faces", "embeddings", "searches", "identities", "identity_events", "assignments")
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in tables)
    return world.run(f"SELECT {counts}")[0]


async def test_the_setting_says_with_which_model_an_archive_begins_and_nothing_more(
    world: World,
) -> None:
    assert toolbox(world, "one").engine_spec.model_name == "one"
    assert toolbox(world, None).engine_spec.model_name == "dlib"

    world.send(1, b"faces=0")
    await world.pass_over()
    assert toolbox(world, "one").engine_spec.model_name == "one"
    assert toolbox(world, "one").model_set_otherwise is None

    world.send(2, b"faces=1 seed=2")
    await world.pass_over()
    for setting, otherwise in (("one", "one"), (MODEL.name, None), (None, None)):
        box = toolbox(world, setting)
        assert (box.engine_spec.model_name, box.model_set_otherwise) == (MODEL.name, otherwise)


@pytest.mark.parametrize("photo", [b"faces=2 seed=2", b"faces=0"])
async def test_what_the_old_model_saw_is_not_stored_after_a_change_and_the_next_run_sees_it_anew(
    world: World, use: Callable[[], None], photo: bytes
) -> None:
    world.send(1, b"faces=1 seed=1")
    await world.pass_over()
    before = stored(world)
    world.send(2, photo)
    world.vision.before = lambda data: use()

    with pytest.raises(Transient, match="next is in use, this worked with fake"):
        await world.pass_over()

    assert stored(world) == before
    late = {product: state for (medium, product), state in world.ledger().items() if "2" in medium}
    assert late["faces"] == late["embeddings"] == "pending"

    result = await world.pass_over(vision=FakeVision(NEXT))
    assert result.complete
    made = world.run("SELECT DISTINCT producer FROM media_products WHERE product = 'embeddings'"
                     " AND media_id = 'document:2'")  # fmt: skip
    assert made == [{"producer": NEXT.embedding_version}]
    assert ModelInUse(world.database).name() == NEXT.name


async def test_what_shows_no_faces_to_anybody_goes_on_whichever_model_is_in_use(
    world: World, use: Callable[[], None]
) -> None:
    use()
    world.send(1, b"faces=1 seed=1")
    result = await world.pass_over(vision=FakeVision(None))
    assert (result.complete, result.model) == (True, None)


async def test_a_face_that_the_old_model_drew_is_not_stored_after_a_change(
    world: World, use: Callable[[], None]
) -> None:
    world.send(1, b"faces=1 seed=1")
    await world.pass_over()
    before = stored(world)
    (content,) = world.run("SELECT content_key FROM blobs")
    store = DrawingStore(world.database)

    with pytest.raises(Transient, match="next is in use"):
        await draw(
            store.picture(ContentKey(content["content_key"])),
            Box(300, 200, 340, 260),
            Act("ada", "test"),
            seconds=0.0,
            whose=None,
            media=world.source,
            vision=Draws(use),
            store=store,
            blobs=world.crops,
            options=OPTIONS,
        )

    assert stored(world) == before


async def test_nobody_is_matched_by_the_old_model_after_a_change(
    world: World, use: Callable[[], None]
) -> None:
    world.send(1, b"faces=1 seed=1")
    await world.pass_over()
    people = PeopleStore(world.database)
    identify(people, MODEL, PEOPLE, cause="test")
    world.send(2, b"faces=2 seed=2")
    await world.pass_over()
    before = stored(world)
    use()

    with pytest.raises(Transient, match="next is in use"):
        identify(people, MODEL, PEOPLE, cause="test")
    with pytest.raises(Transient, match="next is in use"):
        propose(people, CorrectionStore(world.database), MODEL, PEOPLE)

    assert stored(world) == before
    assert world.run("SELECT basis FROM gallery_basis") == [{"basis": ""}]
    # Faces that the model in use has not embedded take no part; nothing of the people changes.
    assert identify(people, NEXT, PEOPLE, cause="test").founded == 0
    assert stored(world) == before
