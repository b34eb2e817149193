"""The ledger's store where several want the same thing, and where somebody changed his mind."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Permanent, Transient
from archive.ids import MediaId
from archive.ledger import PENDING, LedgerRow, Product, SkipReason, State
from archive.media_pass.records import Committed, LedgerChange, Result
from archive.records import MediaAccess
from resources.store.database import Database
from tests.fakes.media import MODEL, OPTIONS, World, analysis_of

ONE = MediaId("document:1")
PRODUCERS = {
    Product.FINGERPRINTS: OPTIONS.fingerprint_version,
    Product.FACES: MODEL.detector_version,
    Product.EMBEDDINGS: MODEL.embedding_version,
}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path)
    world.store.ensure_model(MODEL)
    return world


def enroll(world: World, media_id: MediaId) -> None:
    world.store.enroll([LedgerChange(media_id, product, None, PENDING) for product in PRODUCERS])


def claim(world: World, *media_ids: MediaId, owner: str, chat_no: int = 1) -> list[MediaId]:
    window = world.window(chat_no)
    claims = world.store.claim(
        window,
        world.chat(chat_no).account_id,
        media_ids,
        PRODUCERS,
        lease_owner=f"{window.key}/{owner}",
        lease_seconds=60,
        now=world.now,
    )
    return [each.media_id for each in claims.items]


def result_of(world: World, media_id: MediaId) -> Result:
    analysis = analysis_of(world.files[media_id])
    return Result(
        media_id=media_id,
        products=frozenset(PRODUCERS),
        producers=PRODUCERS,
        analysis=analysis,
        crop_keys=tuple(world.crops.put(face.crop) for face in analysis.faces),
        model=MODEL.name,
        access=MediaAccess(media_id, 3, b"fresh"),
    )


def lease(world: World, owner: str, chat_no: int = 1) -> str:
    return f"{world.window(chat_no).key}/{owner}"


def test_a_window_has_one_pass_at_a_time(world: World) -> None:
    with world.store.hold(world.window(), "first"):
        with pytest.raises(Transient) as caught, world.store.hold(world.window(), "second"):
            pytest.fail("two passes hold one window")
        assert caught.value.retry_after_seconds == 15

    with world.store.hold(world.window(), "second") as owner:
        assert owner.startswith(f"{world.window().key}/second/")


def test_two_threads_never_claim_the_same_medium(world: World) -> None:
    world.add_chat(2)
    ids = []
    for number in range(1, 41):
        ids.append(world.send(number, b"x", media=number))
        world.send(number, media=number, chat_no=2)
        enroll(world, ids[-1])
    taken: dict[int, list[MediaId]] = {1: [], 2: []}

    def take(chat_no: int) -> None:
        for media_id in ids if chat_no == 1 else reversed(ids):
            taken[chat_no] += claim(world, media_id, owner=f"{chat_no}", chat_no=chat_no)

    threads = [threading.Thread(target=take, args=(chat_no,)) for chat_no in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken[1] + taken[2]) == sorted(ids)


def test_a_living_lease_of_another_window_is_respected_until_its_time_is_over(
    world: World,
) -> None:
    world.add_chat(2)
    world.send(1, b"x", media=1)
    world.send(1, media=1, chat_no=2)
    enroll(world, ONE)
    assert claim(world, ONE, owner="a") == [ONE]

    assert claim(world, ONE, owner="b", chat_no=2) == []
    world.run("UPDATE media SET lease_until = now() - interval '1 second'")
    assert claim(world, ONE, owner="b", chat_no=2) == [ONE]


def test_a_lease_of_an_earlier_pass_of_the_window_is_of_the_dead(world: World) -> None:
    world.send(1, b"x")
    enroll(world, ONE)
    claim(world, ONE, owner="a")

    window = world.window()
    claims = world.store.claim(
        window,
        world.chat().account_id,
        [ONE],
        PRODUCERS,
        lease_owner=lease(world, "b"),
        lease_seconds=60,
        now=world.now,
    )

    assert [each.was_in_flight for each in claims.items] == [True]


def test_whoever_lost_the_lease_stores_nothing(world: World) -> None:
    world.send(1, b"faces=1")
    enroll(world, ONE)
    claim(world, ONE, owner="a")
    claim(world, ONE, owner="b")

    stored = world.store.commit(world.chat().chat_no, lease(world, "a"), result_of(world, ONE))

    assert stored.outcome is Committed.DROPPED
    assert world.run("SELECT * FROM blobs") == []


def test_a_medium_whose_last_message_was_deleted_stores_nothing(world: World) -> None:
    world.send(1, b"faces=1")
    enroll(world, ONE)
    claim(world, ONE, owner="a")
    world.run("UPDATE messages SET deleted_at = now()")

    stored = world.store.commit(world.chat().chat_no, lease(world, "a"), result_of(world, ONE))

    assert stored.outcome is Committed.DROPPED
    assert world.run("SELECT * FROM faces") == []


def test_a_row_that_somebody_finished_is_not_enrolled_anew(world: World) -> None:
    world.send(1, b"x")
    enroll(world, ONE)
    world.run("UPDATE media_products SET state = 'done', producer = 'p'")

    skipped = LedgerRow(State.SKIPPED, SkipReason.TYPE)
    world.store.enroll([LedgerChange(ONE, each, PENDING, skipped) for each in PRODUCERS])

    assert set(world.ledger().values()) == {"done"}


def test_renewing_keeps_a_lease_and_releasing_ends_it(world: World) -> None:
    world.send(1, b"x")
    enroll(world, ONE)
    claim(world, ONE, owner="a")
    world.run("UPDATE media SET lease_until = now() + interval '1 second'")

    world.store.renew(lease(world, "a"), 600)
    (row,) = world.run("SELECT lease_until > now() + interval '500 s' AS renewed FROM media")
    assert row["renewed"]
    world.store.release(lease(world, "a"))
    assert world.run("SELECT media_id FROM media WHERE lease_owner IS NULL") != []


def test_other_files_under_a_models_name_are_refused_with_the_way_out(world: World) -> None:
    with pytest.raises(Permanent, match="another name"):
        world.store.ensure_model(replace(MODEL, sha256="1" * 64))


def test_a_model_may_change_its_thresholds(world: World) -> None:
    thresholds = replace(MODEL.thresholds, accept=0.5)

    world.store.ensure_model(replace(MODEL, thresholds=thresholds))

    (row,) = world.run("SELECT thresholds FROM models")
    assert row["thresholds"]["accept"] == 0.5


async def test_a_decided_face_survives_a_detector_that_misses_it(world: World) -> None:
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    world.run(
        "INSERT INTO identities (identity_id, number, model) VALUES"
        " ('00000000-0000-0000-0000-000000000001', 1, 'fake')"
    )
    world.run(
        "INSERT INTO assignments (face_id, identity_id, similarity, decided_by)"
        " SELECT face_id, '00000000-0000-0000-0000-000000000001', 1, 'person'"
        " FROM faces WHERE x1 = 0"
    )
    world.run("UPDATE media_products SET state = 'pending', producer = NULL")
    claim(world, ONE, owner="a")
    blind = result_of(world, ONE)
    blind = replace(blind, analysis=replace(blind.analysis, faces=()), crop_keys=())

    world.store.commit(world.chat().chat_no, lease(world, "a"), blind)

    assert [row["x1"] for row in world.run("SELECT x1 FROM faces")] == [0]


def test_a_chat_that_does_not_exist_is_an_error(world: World) -> None:
    with pytest.raises(Permanent, match="77"):
        world.store.policy(world.chat(77).chat_no)
