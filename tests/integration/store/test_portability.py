"""Moving people from one real database to another: same photos, same names and groups."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg.conninfo import make_conninfo

from archive.correcting import Act, choose_cover, hide, not_a_face, reject, rename, undo
from archive.identify import IdentifyOptions, identify
from archive.identity.records import FaceSet
from archive.ids import ContentKey, IdentityId, new_face_id
from archive.portability import Imported, PortedPeople, import_people, read_document, write_document
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.people import PeopleStore
from resources.store.portability import PortabilityStore
from tests.fixtures.postgres import fresh_database
from tests.integration.store.test_people import Shelf
from tests.unit.identity.worlds import world
from tests.unit.test_identify import MODEL

ME = Act("Ada", "a test")
FACES, _ = world([5, 4, 3, 1], seed=1, likeness=0.85)


class Archive:
    """A database with the photos of one world; ids of faces are its own."""

    def __init__(self, database: Database, faces: FaceSet) -> None:
        self.shelf = Shelf(database)
        self.corrections = CorrectionStore(database)
        self.portability = PortabilityStore(database)
        self.people = PeopleStore(database)
        self.add(faces)

    def add(self, faces: FaceSet) -> None:
        for one, vector in zip(faces.faces, faces.vectors, strict=True):
            self.shelf.photo(one.content_key, new_face_id(), vector, one.taken_at)

    def identify(self) -> None:
        identify(self.people, MODEL, IdentifyOptions(), cause="test")

    def receive(self, ported: PortedPeople) -> Imported:
        return import_people(self.portability, self.corrections, ported, MODEL.name, ME)

    def numbered(self, number: int) -> IdentityId:
        statement = "SELECT identity_id FROM identities WHERE number = %s"
        return IdentityId(self.shelf.execute(statement, number)[0][0])  # type: ignore[arg-type]

    def groups(self) -> set[tuple[object, ...]]:
        """Give who is together, by their photos, with number, name, state and cover."""
        return set(
            self.shelf.execute(
                "SELECT number, label, state, decided_by, faces.content_key, cover.content_key"
                " FROM assignments JOIN faces USING (face_id) JOIN identities USING (identity_id)"
                " LEFT JOIN faces AS cover ON cover.face_id = cover_face_id"
            )
        )

    def words(self) -> list[tuple[object, ...]]:
        """Give what persons said of faces, by their photos."""
        links = self.shelf.execute(
            "SELECT least(one.content_key, other.content_key),"
            " greatest(one.content_key, other.content_key), kind FROM constraints"
            " JOIN faces AS one USING (face_id)"
            " JOIN faces AS other ON other.face_id = other_face_id"
        )
        none = self.shelf.execute("SELECT content_key FROM suppressed_regions")
        return sorted(links) + sorted(none)


@pytest.fixture
def there(database: Database) -> Archive:
    """An archive whose owner has named, hidden, rejected and chosen."""
    archive = Archive(database, FACES)
    archive.identify()
    first, second, third = (archive.numbered(number) for number in (1, 2, 3))
    with archive.corrections.correcting() as desk:
        rename(desk, first, "Ada <Lovelace> & co", ME)
        rename(desk, second, "Zoë", ME)
        hide(desk, [third], ME)
        members = [face.face_id for face in desk.members(first)]
        choose_cover(desk, first, members[0], ME)
        reject(desk, [members[1]], first, ME)
        not_a_face(desk, [members[2]], ME)
    return archive


@pytest.fixture
def other(postgres: EmbeddedPostgres) -> Iterator[Database]:
    with (
        fresh_database(postgres) as name,
        Database(make_conninfo(postgres.archive_url, dbname=name)) as database,
    ):
        yield database


def moved(archive: Archive) -> PortedPeople:
    return read_document("".join(write_document(archive.portability.ported())))


@pytest.mark.parametrize("identified", ["", "identified"])
def test_names_and_groups_survive_a_move(there: Archive, other: Database, identified: str) -> None:
    here = Archive(other, FACES)
    if identified:
        here.identify()

    imported = here.receive(moved(there))

    assert here.groups() == there.groups()
    assert here.words() == there.words()
    assert (imported.faces_found, imported.missing, imported.differences) == (
        imported.faces, (), (),
    )  # fmt: skip
    assert here.corrections.check().total == 0
    # Equal archives give equal files.
    assert moved(here) == moved(there)


def test_importing_twice_writes_nothing_and_once_can_be_undone(
    there: Archive, other: Database
) -> None:
    here = Archive(other, FACES)
    here.identify()
    before = here.groups()
    first = here.receive(moved(there))
    count = "SELECT count(*) FROM identity_events"
    events = here.shelf.execute(count)

    assert here.receive(moved(there)).decision_id is None
    assert here.shelf.execute(count) == events

    assert first.decision_id is not None
    with here.corrections.correcting() as desk:
        undo(desk, first.decision_id, ME)
    assert here.groups() == before
    assert here.words() == []
    assert here.corrections.check().total == 0


def test_what_a_later_pass_brings_is_imported_by_importing_again(
    there: Archive, other: Database
) -> None:
    early = FACES.take(range(6))
    here = Archive(other, early)
    first = here.receive(moved(there))
    assert first.faces_found < first.faces
    here.add(FACES.take(range(6, len(FACES))))

    here.receive(moved(there))

    assert here.groups() == there.groups()
    assert here.words() == there.words()


def test_a_later_run_of_the_matcher_keeps_what_was_imported(
    there: Archive, other: Database
) -> None:
    here = Archive(other, FACES)
    here.receive(moved(there))
    before = here.groups()

    here.identify()

    assert here.groups() == before


def test_only_what_an_allowed_chat_shows_is_exported(there: Archive) -> None:
    there.shelf.execute("UPDATE chats SET allow_faces = false")

    ported = there.portability.ported()

    assert (ported.faces, ported.links) == ((), ())


def test_only_photos_that_were_read_whole_have_sizes(there: Archive) -> None:
    key, film, unread = (ContentKey(f"sha256:{number:064x}") for number in range(3))
    there.shelf.execute("UPDATE blobs SET width = 640, height = 480")
    there.shelf.execute(
        "UPDATE blobs SET sha256 = decode(right(content_key, 64), 'hex')"
        " WHERE content_key = ANY(%s)",
        [key, film],
    )
    there.shelf.execute("UPDATE blobs SET duration_seconds = 3 WHERE content_key = %s", film)

    assert there.portability.photo_sizes([key, film, unread]) == {key: (640, 480)}
