"""An archive goes over to another model and back, killed on the way, while photos keep coming."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.exits import ExitCode
from resources.vision.analyst import Analyst
from resources.vision.factory import load_engine
from tests.e2e.migrating_stage import (
    HIDDEN,
    NEW_PERSON,
    Archive,
    State,
    figures,
    unseen_faces,
)
from tests.fixtures.hubs import hub_of
from tests.fixtures.installation import Install, shared_pack
from tests.fixtures.kills import Request, RowWritten, Worker, held, killing_at
from tests.fixtures.waiting import until
from tests.integration.test_lfw10 import Album, Content, decided, sent

pytestmark = pytest.mark.timeout(900)

SEED = 9
PACK = "scrfd_mobilefacenet"
CATCH_UP = [str(Path(sys.executable).with_name("face-archive")), "catch-up", "--once"]

_WAITS_FOR_WRITERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%%model_in_use%%'
"""
_NOT_LOOKED_AT = """
SELECT count(*) FROM media_products WHERE product = 'embeddings' AND state = 'pending'
"""
_MADE = """
SELECT face_id::text, created_at::text FROM embeddings WHERE model = 'scrfd_mobilefacenet'
"""


@dataclass
class Story:
    """What was seen on the way over and back; each test tells one thing of it.

    Attributes:
        quality: BCubed F with the first model, then after each change.
        states: By the moment, in their order.
        models: In use after each change.
        missing: Faces without a vector of the model in use, after each change.
        kept_work: Whether vectors that were stored before a kill are those in use at the end.
        plan: What the dry run said.
        late: How the run ended that was not done with a photo when the model was changed.
    """

    archive: Archive
    quality: list[float] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    kept_work: bool = False
    plan: str = ""
    late: ExitCode = ExitCode.OK


@pytest.fixture(scope="module")
def story(shared_data: Path, install: Install, album: Album) -> Iterator[Story]:
    """An archive built by dlib with decisions and posts, brought to the pack and back."""
    world = figures(shared_data)
    analyses = {p.key: c.analysis for p, c in zip(world.photos, album.photos, strict=True)}
    settings = shared_pack(shared_data)
    del settings["FACE_ARCHIVE_MODEL"]
    with install(world.world, **settings) as installation:
        archive = Archive(world, installation)
        archive.build()
        archive.decide(unseen_faces(archive, analyses))
        archive.catch_up()
        told = Story(archive)
        there(told)
        back(told)
        there_again(told)
        yield told


@pytest.fixture(scope="module")
def album(shared_data: Path) -> Album:
    """The same photos, looked at by the pack from the start."""
    engine = load_engine(PACK, shared_data / "models" / "insightface", accept_noncommercial=True)
    analyst = Analyst(engine)
    files = sorted((shared_data / "faces" / "lfw10").glob("*/*.jpg"))
    contents = (Content(p.parent.name, analyst.analyse(p.read_bytes(), "image")) for p in files)
    return Album(engine.model.thresholds, tuple(contents), ())


def ten_moments(rng: random.Random, faces: int) -> list[RowWritten]:
    """Draw when the process dies: at its beginning, while it embeds, while it switches."""
    embedding = [RowWritten("embeddings", rng.randint(1, faces)) for _ in range(4)]
    # Its own row is written when it begins or goes on, when it was judged, and at the switch.
    switching = [
        RowWritten("model_migrations", 2),
        RowWritten("model_in_use", 1),
        RowWritten("model_migrations", 3),
        RowWritten("model_in_use", 1),
    ]
    rng.shuffle(switching)
    return [
        RowWritten("model_migrations", 1),
        *embedding,
        *switching,
        RowWritten("model_migrations", 1),
    ]


def there(told: Story) -> None:
    """From dlib to the pack: killed ten times, photos coming in between and at the worst moment."""
    archive = told.archive
    told.quality.append(archive.quality())
    told.states["first"] = archive.state()
    told.plan = archive.does("models", "migrate", PACK, "--dry-run")
    ((faces,),) = archive.rows("SELECT count(*) FROM faces")

    made = set[object]()
    for number, moment in enumerate(ten_moments(random.Random(SEED), faces)):
        meanwhile = (lambda: news_comes(archive)) if number == 3 else None
        code = archive.migration(PACK, "--yes").run_until(moment, meanwhile)
        assert code == -signal.SIGKILL, f"{moment} did not come: {code}"
        made |= set(archive.rows(_MADE))
        assert archive.model() == "dlib"
    told.states["before"] = archive.state()

    switched_while_a_photo_is_stored(archive)
    told.kept_work = len(made) >= faces and made <= set(archive.rows(_MADE))
    changed(told)


def back(told: Story) -> None:
    """From the pack to dlib, which has to embed what only the pack has seen."""
    archive = told.archive
    archive.figures.send(archive.installation, archive.figures.take(2))
    archive.catch_up()
    told.states["before back"] = archive.state()
    assert archive.migration("dlib", "--yes").run() == ExitCode.OK
    changed(told)


def there_again(told: Story) -> None:
    """To the pack while a run that began with dlib holds a photo in its hands."""
    archive = told.archive
    archive.figures.send(archive.installation, archive.figures.later)
    migration = archive.migration(PACK, "--yes")

    def switch() -> None:
        assert migration.run() == ExitCode.OK

    late = Worker(CATCH_UP, archive.installation)
    moment = Request("upload.getFile", 1)
    with killing_at(moment, archive.installation.telegram, switch):
        told.late = ExitCode(late.run())
    changed(told)


def changed(told: Story) -> None:
    """Let the next runs come, as after any change, and note what they leave."""
    archive = told.archive
    archive.catch_up()
    told.models.append(archive.model())
    told.missing.append(archive.faces_without_vector())
    told.quality.append(archive.quality())
    told.states[f"change {len(told.models)}"] = archive.state()


def news_comes(archive: Archive) -> None:
    """Send photos of known people and of somebody new, and let the ordinary runs go."""
    world = archive.figures
    world.send(archive.installation, [*world.take(5), *world.take(5, NEW_PERSON)])
    archive.catch_up()
    assert posted(archive) == archive.shown()


def switched_while_a_photo_is_stored(archive: Archive) -> None:
    """Let the change wait for a run of the old model, which then adds a face at the last moment."""
    archive.figures.send(archive.installation, archive.figures.take(1))
    live = Worker(CATCH_UP, archive.installation)
    database = archive.installation.toolbox.database
    with ExitStack() as processes:
        with held(database, RowWritten("embeddings", 1)) as is_held:
            storing = processes.enter_context(ended(live.start()))
            until(is_held, "the run to store a face", seconds=120)
            switching = processes.enter_context(ended(archive.migration(PACK, "--yes").start()))
            until(lambda: waits_for_writers(archive), "the change to wait", seconds=120)
        assert switching.wait(120) == ExitCode.OK
        assert storing.wait(120) in {ExitCode.OK, ExitCode.TRY_LATER}


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leave nothing of a process, whatever happens to the test."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def waits_for_writers(archive: Archive) -> bool:
    return archive.rows(_WAITS_FOR_WRITERS) != [(0,)]


def posted(archive: Archive) -> dict[str, set[str]]:
    """Give what each topic shows; that of somebody hidden is closed and stays as it was."""
    hub = hub_of(archive.installation)
    hub.pop(f"Person {archive.number_of(HIDDEN)}")
    return {title: {post.content_key for post in posts} for title, posts in hub.items()}


def test_a_dry_run_says_what_it_takes_and_begins_nothing(story: Story) -> None:
    assert '"to_embed": 68' in story.plan
    assert '"megabytes_to_download": 0.0' in story.plan
    assert story.states["first"].rows["model_migrations"] == []


def test_no_name_decision_topic_or_post_is_lost_on_the_way_over_or_back(story: Story) -> None:
    for name, state in story.states.items():
        later = list(story.states.values())[list(story.states).index(name) + 1 :]
        for each in later:
            assert state.lost(each) == {}, name
            assert state.keeps_posts(each), name


def test_a_change_of_models_alone_posts_edits_and_deletes_nothing(story: Story) -> None:
    before, after = story.states["before back"], story.states["change 2"]
    assert after.hub == before.hub
    assert after.written == before.written


def test_each_post_that_came_is_of_a_face_that_came_or_had_been_nobodys(story: Story) -> None:
    assert posted(story.archive) == story.archive.shown()


def test_every_face_has_a_vector_of_the_model_in_use(story: Story) -> None:
    assert story.models == [PACK, "dlib", PACK]
    assert story.missing == [0, 0, 0]
    assert story.archive.installation.toolbox.holdings.mixture(PACK).faces == 0


def test_what_was_embedded_before_a_kill_is_not_embedded_again(story: Story) -> None:
    assert story.kept_work


def test_people_are_told_apart_as_well_as_in_a_fresh_archive(story: Story, album: Album) -> None:
    photos = sent(album.photos)
    fresh = photos.judged(decided(photos.faces, album)).f
    first, there, back, there_again = story.quality
    assert min(there, there_again) >= fresh - 0.01
    assert back >= first


def test_a_run_that_began_with_the_model_before_is_done_again_with_the_other(story: Story) -> None:
    assert story.late is ExitCode.TRY_LATER
    ((unseen,),) = story.archive.rows(_NOT_LOOKED_AT)
    assert unseen == 0


def test_photos_that_came_meanwhile_are_faces_people_and_posts(story: Story) -> None:
    archive = story.archive
    assert archive.rows("SELECT count(*) FROM blobs") == [(100,)]
    assert f"Person {archive.number_of(NEW_PERSON)}" in posted(archive)
