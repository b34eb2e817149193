"""Doing again: what opens, what the pass makes of it, and that nothing decided is lost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.errors import ItemRejected, Transient
from archive.faces.records import Box, FoundFace, MediaAnalysis
from archive.ids import MediaId
from archive.ledger import Product
from archive.media_pass import producers_today
from archive.redoing import RedoCost, RedoPlan, made_together, plan_redo
from resources.store.database import Database
from resources.store.media_failures import FailureStore
from tests.fakes.media import MODEL, OPTIONS, FakeVision, World, newer

EVERYTHING = made_together(Product)
MISSING_ONLY = replace(OPTIONS, redo_stale=False)
OLDER = "an older producer"


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """One chat with a photo of two faces, looked at."""
    world = World(database, tmp_path)
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    return world


class Moved(FakeVision):
    """Sees each face a little to the right, and none where ``x1`` is one of the unseen."""

    def __init__(self, unseen: Collection[float] = ()) -> None:
        super().__init__()
        self.unseen = unseen

    async def analyse(self, *args: Any, **kwargs: Any) -> MediaAnalysis:
        seen = await super().analyse(*args, **kwargs)
        faces = [_moved(each) for each in seen.faces if each.box.x1 not in self.unseen]
        return replace(seen, faces=tuple(faces))


def _moved(face: FoundFace) -> FoundFace:
    box = face.box
    return replace(face, box=Box(box.x1 + 5, box.y1, box.x2 + 5, box.y2))


def planned(world: World, products: Collection[Product] = EVERYTHING, **narrower: Any) -> RedoPlan:
    return plan_redo(world.store.survey(world.window()), products, OPTIONS.limits, **narrower)


async def redo(world: World, products: Collection[Product] = EVERYTHING, **by: Any) -> None:
    world.store.reopen(planned(world, products).changes)
    assert (await world.pass_over(**by)).complete


def faces(world: World) -> list[dict[str, Any]]:
    return world.run("SELECT face_id, x1 FROM faces ORDER BY x1")


def give_to_a_person(world: World) -> None:
    world.run(
        "INSERT INTO identities (identity_id, number, model, label) VALUES"
        " ('00000000-0000-0000-0000-000000000001', 1, 'fake', 'Ada')"
    )
    world.run(
        "INSERT INTO assignments (face_id, identity_id, similarity, decided_by)"
        " SELECT face_id, '00000000-0000-0000-0000-000000000001', 1, 'person' FROM faces"
    )


async def test_making_everything_again_twice_changes_nothing(world: World) -> None:
    world.send(2, b"broken")
    await world.pass_over()
    before, ids = world.results(), faces(world)

    for times in (1, 2):
        await redo(world)
        assert world.results() == before
        assert faces(world) == ids
        assert len(world.vision.analysed) == 2 * (times + 1)


async def test_a_person_keeps_the_faces_that_are_found_elsewhere_or_no_more(world: World) -> None:
    give_to_a_person(world)
    missed, moved = faces(world)

    await redo(world, vision=Moved(unseen=[missed["x1"]]))

    assert faces(world) == [missed, moved | {"x1": moved["x1"] + 5}]
    (ada,) = world.run(
        "SELECT label, count(*) AS faces FROM assignments JOIN identities USING (identity_id)"
        " GROUP BY label"
    )
    assert ada == {"label": "Ada", "faces": 2}


def forget_vectors(world: World, *faces: dict[str, Any]) -> None:
    """Leave faces as a change of models does where it could not read their crops."""
    for each in faces:
        world.run("DELETE FROM embeddings WHERE face_id = %s", each["face_id"])


def blind(world: World) -> list[object]:
    rows = world.run(
        "SELECT face_id FROM faces WHERE NOT EXISTS ("
        " SELECT FROM embeddings WHERE embeddings.face_id = faces.face_id) ORDER BY x1"
    )
    return [row["face_id"] for row in rows]


async def test_a_person_s_face_without_a_vector_that_nobody_sees_is_embedded_where_it_was(
    world: World,
) -> None:
    give_to_a_person(world)
    missed, seen = faces(world)
    forget_vectors(world, missed, seen)
    vision = Moved(unseen=[missed["x1"]])

    await redo(world, vision=vision)

    assert blind(world) == []
    assert [box.x1 for box in vision.drawn] == [missed["x1"]]
    assert faces(world) == [missed, seen | {"x1": seen["x1"] + 5}]

    again = Moved(unseen=[missed["x1"]])
    await redo(world, vision=again)
    assert again.drawn == []


async def test_a_place_that_cannot_be_embedded_costs_nothing_that_was_seen(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    world.send(1, b"faces=2 seed=1 tiny")
    await world.pass_over()
    give_to_a_person(world)
    missed, seen = faces(world)
    forget_vectors(world, missed, seen)

    await redo(world, vision=Moved(unseen=[missed["x1"]]))

    assert blind(world) == [missed["face_id"]]


async def test_a_face_that_nobody_decided_about_and_nobody_sees_goes(world: World) -> None:
    gone, stays = faces(world)

    await redo(world, vision=Moved(unseen=[gone["x1"]]))

    assert [each["face_id"] for each in faces(world)] == [stays["face_id"]]


async def test_what_cannot_be_fetched_any_more_keeps_its_faces(world: World) -> None:
    before = faces(world)
    world.source.script[MediaId("document:1")] = ItemRejected("gone", "deleted")

    await redo(world)

    assert set(world.ledger().values()) == {"skipped(gone)"}
    assert faces(world) == before


async def test_a_twin_in_another_chat_is_not_taken_as_the_answer(world: World) -> None:
    world.add_chat(2)
    world.send(1, b"faces=2 seed=1", media=9, chat_no=2)
    await world.pass_over(2)
    fetched = len(world.source.fetched)

    await redo(world, vision=Moved())

    assert [each["x1"] for each in faces(world)] == [5, 105]
    assert (await world.pass_over(2)).complete
    assert len(world.source.fetched) == fetched + 1
    assert set(world.ledger().values()) == {"done"}


async def test_small_pictures_alone_cost_no_search_for_faces(world: World) -> None:
    await redo(world, made_together([Product.THUMBNAILS]))

    assert len(world.vision.analysed) == 1
    assert len(world.vision.fingerprinted) == 1


async def test_what_policy_leaves_out_now_stays_as_it_was_made(world: World) -> None:
    world.run("UPDATE chats SET allow_faces = false")

    await redo(world)

    assert set(world.ledger().values()) == {"done"}
    assert len(faces(world)) == 2
    assert len(world.vision.analysed) == 1


async def test_what_failed_or_is_ignored_is_not_touched(world: World) -> None:
    ignored = world.send(2, b"faces=1")
    world.source.script[ignored] = Transient("cut off")
    await world.pass_over()
    FailureStore(world.database).ignore([ignored])

    assert {each.media_id for each in planned(world).changes} == {"document:1"}


async def test_a_run_that_goes_on_leaves_what_it_made_again_already(world: World) -> None:
    world.send(2, b"faces=1 seed=2")
    await world.pass_over()
    (row,) = world.run("SELECT clock_timestamp() AS now")
    world.run("UPDATE media_products SET updated_at = now() WHERE media_id = 'document:2'")

    plan = planned(world, made_before=row["now"])

    assert {each.media_id for each in plan.changes} == {"document:1"}
    assert not planned(world, made_before=datetime(2000, 1, 1, tzinfo=UTC)).changes


async def test_stale_are_the_rows_of_other_producers_only(world: World) -> None:
    world.send(2, b"faces=1 seed=2")
    await world.pass_over()
    world.run(
        "UPDATE media_products SET producer = %s WHERE media_id = 'document:2'"
        " AND product IN ('faces', 'embeddings')",
        OLDER,
    )
    today = producers_today(world.vision, OPTIONS)

    plan = planned(world, today=today)

    assert {(each.media_id, each.product) for each in plan.changes} == {
        ("document:2", Product.FACES),
        ("document:2", Product.EMBEDDINGS),
    }
    assert plan.cost == RedoCost(1, len(b"faces=1 seed=2"))
    assert (await world.pass_over(options=MISSING_ONLY)).fetched == 0
    assert (await world.pass_over()).fetched == 1
    assert not planned(world, today=today).changes


async def test_a_pass_for_what_is_missing_leaves_another_model_s_work_and_does_the_rest(
    world: World,
) -> None:
    world.send(2, b"faces=1 seed=2")
    world.run("UPDATE media_products SET producer = %s", OLDER)

    result = await world.pass_over(vision=FakeVision(newer(MODEL, "2")), options=MISSING_ONLY)

    assert result.complete
    assert world.source.fetched == ["document:1", "document:2"]


async def test_a_kept_original_costs_no_download(world: World) -> None:
    assert planned(world).cost == RedoCost(1, len(b"faces=2 seed=1"))
    world.run("UPDATE chats SET keep_originals = true")
    await world.pass_over()

    assert planned(world).cost == RedoCost(1, 0)


@pytest.mark.parametrize("one", [Product.FACES, Product.EMBEDDINGS])
def test_faces_and_vectors_are_made_together(one: Product) -> None:
    assert made_together([one]) == {Product.FINGERPRINTS, Product.FACES, Product.EMBEDDINGS}
