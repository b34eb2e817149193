import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from archive.errors import ItemRejected, Permanent
from archive.faces.errors import ChildDied, WorkerDied
from archive.provenance import model_of
from resources.vision.factory import EngineSpec
from resources.vision.isolated import analyse_isolated
from resources.vision.pool import AnalystPool
from tests.integration.vision.pictures import encoded, plain
from tests.integration.vision.recipes import BrokenRecipe, ScriptedRecipe

HARMLESS = encoded(plain(64, 48))
KILLS = encoded(plain(13, 48))
HANGS = encoded(plain(14, 48))
HOARDS = encoded(plain(15, 48))


async def test_threads_give_each_item_its_own_answer(
    pack_spec: EngineSpec, six_people: bytes
) -> None:
    async with AnalystPool(pack_spec, workers=2) as pool:
        analyses = await asyncio.gather(*(pool.analyse(six_people, "image") for _ in range(6)))

        assert pool.model is not None
        assert pool.model.name == "scrfd_mobilefacenet"
    assert [len(analysis.faces) for analysis in analyses] == [6] * 6
    assert len({analysis.faces[0].embedding.tobytes() for analysis in analyses}) == 1
    assert {model_of(face.embedding) for each in analyses for face in each.faces} == {
        "scrfd_mobilefacenet"
    }


async def test_an_engine_that_holds_the_lock_works_in_processes(six_people: bytes) -> None:
    async with AnalystPool(EngineSpec("dlib"), workers=1) as pool:
        before = time.monotonic()
        work = asyncio.create_task(pool.analyse(six_people, "image"))
        worst = 0.0
        while not work.done():
            started = time.monotonic()
            await asyncio.sleep(0.01)
            worst = max(worst, time.monotonic() - started)
        took = time.monotonic() - before

    assert [model_of(face.embedding) for face in (await work).faces] == ["dlib"] * 6
    assert worst < took / 2
    assert worst < 0.3


@pytest.mark.parametrize("holds_gil", [True, False], ids=["processes", "threads"])
async def test_rejections_come_home_with_their_reason(holds_gil: bool) -> None:  # noqa: FBT001
    async with AnalystPool(ScriptedRecipe(holds_gil), workers=1) as pool:
        with pytest.raises(ItemRejected) as caught:
            await pool.analyse(b"no picture", "image")

        assert caught.value.reason == "not_an_image"
        assert (await pool.analyse(HARMLESS, "image")).faces == ()


@pytest.mark.parametrize("holds_gil", [True, False], ids=["processes", "threads"])
async def test_a_missing_model_is_told_on_entering(holds_gil: bool) -> None:  # noqa: FBT001
    with pytest.raises(Permanent, match="no such model"):
        async with AnalystPool(BrokenRecipe(holds_gil), workers=1):
            pass


async def test_a_dead_worker_is_an_error_not_a_wait_and_the_pool_goes_on() -> None:
    async with AnalystPool(ScriptedRecipe(), workers=1) as pool:
        with pytest.raises(WorkerDied):
            await pool.analyse(KILLS, "image")

        assert (await pool.analyse(HARMLESS, "image")).fingerprint.width == 64


async def test_closing_leaves_no_process_behind() -> None:
    mine = psutil.Process()
    async with AnalystPool(ScriptedRecipe(), workers=2) as pool:
        await asyncio.gather(*(pool.analyse(HARMLESS, "image") for _ in range(4)))
        workers = [child for child in mine.children() if "spawn_main" in " ".join(child.cmdline())]
        assert workers

    assert not [child for child in workers if child.is_running()]


PROGRAM = """
import asyncio, psutil, signal, sys
from resources.vision.pool import AnalystPool
from tests.integration.vision.recipes import ScriptedRecipe

async def main():
    async with AnalystPool(ScriptedRecipe(), workers=1):
        print(*(child.pid for child in psutil.Process().children()), flush=True)
        await asyncio.sleep(60)

# Whoever begins the tests in the background has them ignore it, and every child of theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


def test_workers_do_not_outlive_a_parent_that_was_killed() -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=root, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        parent.kill()

    _, alive = psutil.wait_procs(children, timeout=10)
    assert children
    assert not alive


def test_an_interrupt_is_its_parent_s_business_and_a_worker_says_nothing_of_it() -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline()
        os.killpg(program.pid, signal.SIGINT)  # as a terminal sends it
        _, told = program.communicate(timeout=20)

    assert "KeyboardInterrupt" in told
    assert "SpawnProcess" not in told


async def test_a_pool_without_a_model_fingerprints() -> None:
    async with AnalystPool(None, workers=1) as pool:
        assert pool.model is None
        assert (await pool.analyse(HARMLESS, "image", faces=False)).fingerprint.height == 48
        with pytest.raises(Permanent):
            await pool.analyse(HARMLESS, "image")


async def test_an_item_alone_is_answered_or_its_child_s_end_is() -> None:
    pool = AnalystPool(ScriptedRecipe(), workers=1)

    assert (await pool.analyse_alone(HARMLESS, "image")).fingerprint.width == 64
    with pytest.raises(ChildDied, match="signal 9"):
        await pool.analyse_alone(KILLS, "image")
    with pytest.raises(ItemRejected, match="empty"):
        await pool.analyse_alone(b"", "video")


def test_a_child_that_takes_too_long_or_too_much_is_ended() -> None:
    with pytest.raises(ChildDied, match="more than 3 s"):
        analyse_isolated(ScriptedRecipe(), HANGS, "image", timeout_seconds=3)
    with pytest.raises(ChildDied, match="memory"):
        analyse_isolated(ScriptedRecipe(), HOARDS, "image", memory_limit_mb=256)


def test_a_real_engine_works_within_the_default_limit(
    pack_spec: EngineSpec, six_people: bytes
) -> None:
    assert len(analyse_isolated(pack_spec, six_people, "image").faces) == 6


def test_no_pool_has_no_workers() -> None:
    with pytest.raises(ValueError, match="workers"):
        AnalystPool(None, workers=0)
