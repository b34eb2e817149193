"""What may go wrong around a real run: each says what a person can do, and nothing is lost."""

from __future__ import annotations

import io
import random
import resource
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.demo.photos import sample_photos
from cli.demo.scenario import PHONE, DemoWorld
from cli.exits import ExitCode
from resources.settings import Settings
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate
from resources.toolbox import Toolbox
from telegram_sandbox import Scenario, User
from tests.fixtures.commands import face_archive, rows
from tests.fixtures.dumps import Dump, dump
from tests.fixtures.hubs import hub_of
from tests.fixtures.installation import Install, Installation
from tests.fixtures.runs import Ended, run_people, run_window
from tests.fixtures.traps import at_request

CODE = "12345"
SENDS = ("messages.sendMedia", "messages.forwardMessages", "messages.createForumTopic")
# One worker process: starting one costs more than these few pictures.
SMALL = {"FACE_ARCHIVE_MEDIA_WORKERS": "1", "FACE_ARCHIVE_MIN_FREE_DISK_GB": "0"}

_LEDGER = """
SELECT DISTINCT messages.text, products.state, products.reason, products.error
FROM media_products AS products
JOIN message_media USING (media_id)
JOIN messages USING (chat_no, message_id)
"""


@dataclass(frozen=True, slots=True)
class Village:
    """Two chats with a photo of each of six people between them, and whose account reads them."""

    world: DemoWorld
    owner: User


def village() -> Village:
    scenario = Scenario(seed=6)
    owner = scenario.user("Nora", phone=PHONE)
    friend = scenario.user("Ben")
    family = scenario.supergroup("Family", owner=owner, members=[friend], username="family_demo")
    club = scenario.supergroup("Club", owner=owner, members=[friend])
    for number, photo in enumerate(sample_photos(random.Random(6), 1)):
        (club if number == 0 else family).photo(friend, photo.data)
    return Village(DemoWorld(scenario, (club.id, family.id)), owner)


def backfill(installation: Installation, keys: list[str]) -> list[Ended]:
    return [run_window(installation.environment, installation.instance, key) for key in keys]


def ledger(installation: Installation) -> dict[str, tuple[str, str | None, str | None]]:
    """Give state, reason and error of each medium by the caption it was sent with."""
    with installation.toolbox.database.transaction() as connection:
        found = connection.execute(_LEDGER).fetchall()
    states = {text: (state, reason, error) for text, state, reason, error in found}
    assert len(states) == len(found), "the products of one file disagree"
    return states


def media_counts(installation: Installation, title: str) -> dict[str, int]:
    """Give what `face-archive status` says of a chat's media."""
    shown = rows(face_archive(installation.environment, "status"))
    (counts,) = (row["media"] for row in shown if row.get("title") == title)
    return dict(counts)


def states(toolbox: Toolbox) -> set[str]:
    with toolbox.database.transaction() as connection:
        return {state for (state,) in connection.execute("SELECT state FROM media_products")}


@pytest.fixture(scope="module")
def undisturbed(install: Install) -> Dump:
    """The rows of the village where nothing goes wrong."""
    with install(village().world, **SMALL) as installation:
        assert all(run.success for run in backfill(installation, installation.set_up()))
        return dump(installation.toolbox.database)


# Files that are not what they seem


def test_a_bad_file_is_skipped_with_its_reason_and_everything_else_of_its_window_is_done(
    install: Install,
) -> None:
    with install(_bad_files(), **SMALL) as installation:
        before = _peak_megabytes()
        (run,) = backfill(installation, installation.set_up())
        after = _peak_megabytes()

        assert run.success, run.said
        found = ledger(installation)
        counts = media_counts(installation, "Family")
        messages = installation.toolbox.overview.totals().messages

    assert {text: (state, reason) for text, (state, reason, _) in found.items()} == {
        "first": ("done", None),
        # What arrived of it is looked at; of the other nothing but the header did.
        "half": ("done", None),
        "cut off": ("skipped", "corrupt"),
        "nothing": ("skipped", "empty"),
        "poster": ("skipped", "too_many_pixels"),
        "list": ("skipped", "not_an_image"),
        "last": ("done", None),
    }
    assert "Truncated File Read" in str(found["cut off"][2])
    assert "0 bytes" in str(found["nothing"][2])
    assert "30000 × 30000 is 900 megapixels, the limit is 150" in str(found["poster"][2])
    assert "b'- bread" in str(found["list"][2])
    assert counts == {
        "done": 3,
        "skipped (corrupt)": 1,
        "skipped (empty)": 1,
        "skipped (not_an_image)": 1,
        "skipped (too_many_pixels)": 1,
    }
    assert messages == 8
    # Decoded, the poster alone would take 2 700.
    assert all(peak <= max(old, 1500) for old, peak in zip(before, after, strict=True))


def _bad_files() -> DemoWorld:
    scenario = Scenario(seed=7)
    owner = scenario.user("Nora", phone=PHONE)
    chat = scenario.supergroup("Family", owner=owner)
    first, last, *_ = (photo.data for photo in sample_photos(random.Random(7), 1))
    chat.photo(owner, first, caption="first")
    chat.photo(owner, first[: len(first) // 2], caption="half")
    chat.photo(owner, first[:300], caption="cut off")
    chat.video(owner, b"", caption="nothing")
    chat.document(
        owner,
        _poster(30_000),
        caption="poster",
        file_name="poster.png",
        mime_type="image/png",
        width=30_000,
        height=30_000,
    )
    chat.document(
        owner, b"- bread\n- milk\n", caption="list", file_name="list.jpg", mime_type="image/jpeg"
    )
    chat.photo(owner, last, caption="last")
    return DemoWorld(scenario, (chat.id,))


def _poster(side: int) -> bytes:
    """Make a black PNG of that many pixels a side, row by row: about 100 kB for 30 000."""
    packer = zlib.compressobj(1)
    row = bytes(1 + (side + 7) // 8)
    pixels = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    png = io.BytesIO()
    png.write(b"\x89PNG\r\n\x1a\n")
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", pixels),
        (b"IEND", b""),
    ):
        png.write(struct.pack(">I", len(data)) + kind + data)
        png.write(struct.pack(">I", zlib.crc32(kind + data)))
    return png.getvalue()


def _peak_megabytes() -> list[int]:
    """Give the most memory that this process and its largest child ever had."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return [resource.getrusage(each).ru_maxrss // 1024 for each in whose]


# A session that ends


def test_a_session_revoked_in_the_middle_of_a_backfill_leads_to_login_and_loses_nothing(
    install: Install, undisturbed: Dump
) -> None:
    home = village()
    with install(home.world, **SMALL) as installation:
        keys = installation.set_up()
        at_request(
            installation.telegram,
            "upload.getFile",
            4,
            lambda sandbox: sandbox.revoke_sessions(home.owner),
        )

        done, broken = backfill(installation, keys)
        stopped_at = media_counts(installation, "Family")
        doctor = face_archive(installation.environment, "doctor", "--online")
        login = face_archive(installation.environment, "login", typed=f"{PHONE}\n{CODE}\n")
        again = backfill(installation, keys)

        assert done.success
        assert not broken.success
        assert not broken.wants_retry
        assert "run `face-archive login`" in broken.said
        assert stopped_at.keys() <= {"done", "pending"}
        assert sum(stopped_at.values()) == 5
        telegram = next(row for row in rows(doctor) if row["name"] == "telegram")
        assert doctor.exit_code == ExitCode.FAILED
        assert "run `face-archive login`" in telegram["finding"]
        assert login.exit_code == 0, login.output
        assert all(run.success for run in again)
        assert dump(installation.toolbox.database) == undisturbed


# A hub without the right


def test_without_the_right_to_manage_topics_nothing_is_sent_and_later_everything(
    install: Install,
) -> None:
    home = village()
    with install(home.world, **SMALL, FACE_ARCHIVE_MIN_FACES="1") as installation:
        environment, instance = installation.environment, installation.instance
        assert all(run.success for run in backfill(installation, installation.set_up()))
        _let_manage_topics(installation, home.owner, allowed=False)
        sent_before = installation.requests(*SENDS)

        check = face_archive(environment, "hub", "check")
        scheduled = run_people(environment, instance)
        publish = face_archive(environment, "publish")

        assert check.exit_code == ExitCode.FAILED
        assert publish.exit_code == ExitCode.PERSON_MUST_ACT
        assert not scheduled.success
        assert not scheduled.wants_retry
        for said in (check.stderr, publish.stderr, scheduled.said):
            assert "make it an admin with 'Manage topics' there" in said
            assert "face-archive hub check" in said
        assert installation.requests(*SENDS) == sent_before
        assert hub_of(installation) == {}

        _let_manage_topics(installation, home.owner, allowed=True)
        assert face_archive(environment, "hub", "check").exit_code == 0
        assert face_archive(environment, "publish").exit_code == 0
        hub = hub_of(installation)
        people = installation.toolbox.overview.totals().identities
        assert people == len(hub) >= 4
        assert all(len(posts) == 1 for posts in hub.values())


def _let_manage_topics(installation: Installation, user: User, *, allowed: bool) -> None:
    hub_id = installation.hub_id
    installation.telegram.call(
        lambda sandbox: sandbox.restrict(sandbox.state.chat(hub_id), user, manage_topics=allowed)
    )


# A database that stops


@dataclass
class Server:
    """A database server that one installation has for itself."""

    folder: Path
    running: EmbeddedPostgres

    def stop(self) -> None:
        self.running.stop()

    def start_again(self) -> None:
        self.running = EmbeddedPostgres(self.folder)


@pytest.fixture
def server() -> Iterator[Server]:
    # Outside of pytest's own folder, which is private to the user.
    with tempfile.TemporaryDirectory(prefix="face-archive-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "data"
        server = Server(folder, EmbeddedPostgres(folder))
        migrate(server.running.archive_url)
        yield server
        server.stop()


@contextmanager
def on_its_own(installation: Installation, server: Server) -> Iterator[Installation]:
    """Let an installation keep its archive on another server; Dagster stays where it is."""
    own = {"FACE_ARCHIVE_DATABASE_URL": server.running.archive_url}
    environment = {**installation.environment, **own}
    with Toolbox.open(Settings.load(None, environment)) as toolbox:
        yield replace(installation, environment=environment, toolbox=toolbox)


def test_a_database_that_stops_in_the_middle_ends_the_run_and_costs_no_row(
    install: Install, undisturbed: Dump, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pool waits a while for a server that restarts. One second is as good as fifteen here.
    monkeypatch.setattr("resources.store.database._POOL_WAIT_SECONDS", 1.0)
    with install(village().world, **SMALL) as elsewhere:
        with on_its_own(elsewhere, server) as installation:
            keys = installation.set_up()
        at_request(installation.telegram, "upload.getFile", 4, lambda _: server.stop())

        done, broken = backfill(installation, keys)
        status = face_archive(installation.environment, "status")
        server.start_again()

        assert done.success
        assert not broken.success
        assert broken.wants_retry
        assert "the database did not answer" in broken.said
        assert "ItemRejected" not in broken.said
        assert status.exit_code == ExitCode.TRY_LATER
        assert "the database did not answer" in status.stderr
        with on_its_own(elsewhere, server) as installation:
            assert states(installation.toolbox) <= {"done", "pending"}
            assert all(run.success for run in backfill(installation, keys))
            assert dump(installation.toolbox.database) == undisturbed


# A disk that takes nothing more


def test_without_enough_free_disk_a_pass_stops_before_it_downloads(
    install: Install, undisturbed: Dump
) -> None:
    with install(village().world, **SMALL) as installation:
        keys = installation.set_up()
        wanted = {**installation.environment, "FACE_ARCHIVE_MIN_FREE_DISK_GB": "1000000"}

        run = run_window(wanted, installation.instance, keys[0])
        doctor = face_archive(wanted, "doctor")
        fetched = installation.requests("upload.getFile")
        again = backfill(installation, keys)

        assert not run.success
        assert not run.wants_retry
        assert "FACE_ARCHIVE_MIN_FREE_DISK_GB" in run.said
        assert fetched == 0
        disk = next(row for row in rows(doctor) if row["name"] == "free disk")
        assert doctor.exit_code == ExitCode.FAILED
        assert "FACE_ARCHIVE_MIN_FREE_DISK_GB" in disk["way_out"]
        assert all(run.success for run in again)
        assert dump(installation.toolbox.database) == undisturbed


def test_a_place_for_crops_that_cannot_be_written_is_named_and_nothing_counts_as_done(
    install: Install, undisturbed: Dump, tmp_path: Path
) -> None:
    place = tmp_path / "crops on a disk"
    place.write_bytes(b"not a folder")
    with install(village().world, **SMALL, FACE_ARCHIVE_BLOB_URL=str(place)) as installation:
        keys = installation.set_up()

        broken = backfill(installation, keys)
        not_done = states(installation.toolbox)
        place.unlink()
        again = backfill(installation, keys)

        for run in broken:
            assert not run.success
            assert not run.wants_retry
            assert str(place) in run.said
        assert not_done == {"pending"}
        assert all(run.success for run in again)
        assert dump(installation.toolbox.database) == undisturbed


# Commands that cannot do what they are asked


@pytest.fixture(scope="module")
def newcomer(install: Install) -> Iterator[Installation]:
    """Somebody who has a database and nothing else."""
    with install(village().world, **SMALL) as installation:
        yield installation


@pytest.fixture(scope="module")
def resident(install: Install) -> Iterator[Installation]:
    """Somebody who is logged in and has allowed two chats."""
    with install(village().world, **SMALL) as installation:
        installation.set_up()
        yield installation


def refusal(
    environment: Mapping[str, str], *arguments: object, code: ExitCode, typed: str = ""
) -> str:
    """Run a command that must end with that code and one line, and give the line."""
    result = face_archive(environment, *arguments, typed=typed)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_a_missing_application_key_is_named_with_where_to_get_it(resident: Installation) -> None:
    for name in ("TG_API_ID", "TG_API_HASH"):
        environment = {**resident.environment, name: ""}
        said = refusal(environment, "chats", "add", "@family_demo", code=ExitCode.PERSON_MUST_ACT)
        assert "TG_API_ID and TG_API_HASH are not set" in said
        assert "my.telegram.org" in said
        assert "face-archive init" in said


def test_an_application_id_that_is_no_number_is_a_wrong_setting(newcomer: Installation) -> None:
    environment = {**newcomer.environment, "TG_API_ID": "twenty"}
    assert "TG_API_ID" in refusal(environment, "chats", "list", code=ExitCode.USAGE)


def test_an_application_key_that_telegram_refuses_is_to_be_checked(newcomer: Installation) -> None:
    newcomer.telegram.call(lambda sandbox: sandbox.faults.error("auth.sendCode", "API_ID_INVALID"))
    said = refusal(newcomer.environment, "login", "--phone", PHONE, code=ExitCode.PERSON_MUST_ACT)
    assert "check TG_API_ID and TG_API_HASH (my.telegram.org)" in said


@pytest.mark.parametrize(
    "command",
    [("chats", "add", "@family_demo"), ("chats", "discover"), ("hub", "create")],
)
def test_without_an_account_a_command_leads_to_login(
    newcomer: Installation, command: tuple[str, ...]
) -> None:
    said = refusal(newcomer.environment, *command, code=ExitCode.PERSON_MUST_ACT)
    assert said == "No account is logged in: run `face-archive login`."


def test_publishing_without_a_hub_says_how_to_get_one(newcomer: Installation) -> None:
    said = refusal(newcomer.environment, "publish", code=ExitCode.PERSON_MUST_ACT)
    assert "face-archive hub create" in said
    assert "face-archive hub use" in said


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("@nobody_has_this", "nobody has this name"),
        ("-1009999999999", "add it by @name or invite link"),
        ("https://t.me/+AbCdEfGhIjKlMnOp", "invite link"),
        ("our family!", "does not name a chat"),
    ],
)
def test_a_chat_that_does_not_exist_cannot_be_added_and_the_message_says_why(
    resident: Installation, reference: str, hint: str
) -> None:
    said = refusal(resident.environment, "chats", "add", reference, code=ExitCode.PERSON_MUST_ACT)
    assert hint in said


def test_a_chat_that_was_never_added_cannot_be_allowed(resident: Installation) -> None:
    said = refusal(
        resident.environment,
        *("chats", "allow", "Elsewhere", "--archive"),
        code=ExitCode.PERSON_MUST_ACT,
    )
    assert said == "No chat is known as 'Elsewhere'. `face-archive chats list` shows them."
