"""Snapshots on a real PostgreSQL: only what changed is written, and nothing erased stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from archive.errors import Permanent, Transient
from archive.warehouse.parts import Part
from archive.warehouse.snapshots import Manifest, SnapshotResult, Written, bring_up_to_date
from archive.warehouse.tables import TABLES, PartsBy, Table
from resources.store.database import Database
from resources.store.snapshots import SnapshotStore
from resources.warehouse.files import SnapshotFiles
from tests.integration.analytics.world import CLUB, FAMILY, NOW, World, fill

PARTED = [table for table in TABLES if table.parts_by is not PartsBy.NOTHING]
SMALL = len(TABLES) - len(PARTED)


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction() as connection:
        return fill(connection)


@pytest.fixture
def files(tmp_path: Path) -> SnapshotFiles:
    return SnapshotFiles(tmp_path / "snapshots")


def taken(database: Database, files: SnapshotFiles) -> SnapshotResult:
    return bring_up_to_date(SnapshotStore(database), files)


def content(files: SnapshotFiles) -> dict[str, pl.DataFrame]:
    """Read every table as dbt does: all files of its folder."""
    return {
        table.name: pl.read_parquet(files.folder / table.name / "*.parquet").sort(
            list(table.columns)
        )
        for table in TABLES
    }


def assert_as_if_new(database: Database, files: SnapshotFiles, folder: Path) -> None:
    """Compare with snapshots that another folder was filled with from nothing."""
    fresh = SnapshotFiles(folder)
    expected = _everything(database, fresh)
    for name, frame in content(files).items():
        assert_frame_equal(frame, expected[name])


def _everything(database: Database, files: SnapshotFiles) -> dict[str, pl.DataFrame]:
    with SnapshotStore(database).look() as look:
        for table in TABLES:
            for number, part in enumerate(_whole(table, look.window_starts())):
                frames = [*look.frames(table, part), table.frame(b"")]
                files.write(table, Part(number, part.first, part.until), iter(frames))
    return content(files)


def _whole(table: Table, starts: Mapping[int, object]) -> Iterator[Part]:
    if table.parts_by is PartsBy.MESSAGES:
        yield from (Part(chat_no, 0, 10**12) for chat_no in starts)
    else:
        yield Part(0, 0, 10**6)


def execute(database: Database, statement: LiteralString, *values: object) -> None:
    with database.transaction() as connection:
        connection.execute(statement, values)


def test_every_row_of_the_archive_is_in_one_file(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    result = taken(database, files)
    frames = content(files)
    with database.transaction() as connection:
        for table in TABLES:
            columns = ", ".join(table.columns)
            rows = connection.execute(f"SELECT {columns} FROM {table.name}").fetchall()
            assert len(rows) > 0, table.name
            assert result.rows[table.name] == len(rows)
            expected = sorted([tuple(map(_plain, row)) for row in rows], key=repr)
            assert sorted(frames[table.name].rows(), key=repr) == expected
    assert frames["media"]["mime_type"].null_count() > 0
    assert (frames["media"]["mime_type"] == "").any()


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def test_no_text_no_crop_and_no_vector_is_in_the_files(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    taken(database, files)
    assert not any(
        b"not to be seen" in path.read_bytes() for path in files.folder.rglob("*.parquet")
    )
    columns = {column for table in TABLES for column in table.columns}
    assert not columns & {"text", "raw", "crop_key", "embedding", "latitude", "exif", "landmarks"}


def test_nothing_but_the_small_tables_is_written_again_when_nothing_changed(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    first = taken(database, files)
    assert first.kept == 0
    again = taken(database, files)
    assert again.written == SMALL
    assert again.kept == first.written - SMALL
    assert again.rows == first.rows


def test_one_new_message_writes_its_window_and_no_other(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    taken(database, files)
    before = modified(files)
    execute(
        database,
        "INSERT INTO messages (chat_no, message_id, kind, sent_at, raw)"
        " VALUES (%s, 99, 'text', %s, '{}')",
        CLUB,
        NOW,
    )
    assert taken(database, files).written == SMALL + 1
    changed = {name for name, when in modified(files).items() if before.get(name) != when}
    assert {name for name in changed if name.startswith("mess")} == {
        f"messages/{CLUB}_0000000000_0.parquet", *empties("messages", "message_media")
    }  # fmt: skip


def empties(*tables: str) -> set[str]:
    return {f"{table}/empty.parquet" for table in tables}


def modified(files: SnapshotFiles) -> dict[str, int]:
    return {
        str(path.relative_to(files.folder)): path.stat().st_ino
        for path in files.folder.rglob("*.parquet")
    }


# One statement for each way in which a row of a table in pieces can change: by hand, by a use
# case, by a cascade.
CHANGES: list[LiteralString] = [
    "UPDATE messages SET deleted_at = now() WHERE chat_no = 11 AND message_id = 7",
    "UPDATE messages SET deleted_at = NULL WHERE deleted_at IS NOT NULL",
    "UPDATE messages SET kind = 'text' WHERE chat_no = 22",
    "UPDATE messages SET sent_at = sent_at + interval '1 day' WHERE message_id = 3",
    "UPDATE messages SET edited_at = now() WHERE message_id = 3",
    "UPDATE messages SET sender_id = 1, topic_id = 2 WHERE message_id = 4",
    "UPDATE messages SET grouped_id = NULL",
    "UPDATE messages SET forwarded_from = 5, forwarded_message_id = 6 WHERE message_id = 9",
    "UPDATE messages SET message_id = message_id + 1000 WHERE chat_no = 22 AND kind = 'text'",
    "DELETE FROM messages WHERE chat_no = 11 AND message_id BETWEEN 50 AND 150",
    "DELETE FROM message_media WHERE chat_no = 22",
    "UPDATE message_media SET media_id = 'photo:5' WHERE media_id = 'photo:6'",
    "UPDATE media SET kind = 'sticker' WHERE kind = 'gif'",
    "UPDATE media SET content_key = NULL WHERE media_id = 'photo:4'",
    "UPDATE media SET mime_type = 'x', size_bytes = 1 WHERE media_id = 'photo:5'",
    "UPDATE media SET created_at = created_at - interval '40 days' WHERE media_id = 'photo:5'",
    "UPDATE blobs SET size_bytes = size_bytes + 1, width = 3, height = 4, duration_seconds = 5",
    "DELETE FROM faces WHERE quality < 0.5",
    "UPDATE faces SET quality = 0.25, track = 3, frame_seconds = 0.5 WHERE quality > 0.5",
    "UPDATE assignments SET identity_id = (SELECT min(identity_id::text)::uuid FROM identities)",
    "UPDATE assignments SET decided_by = 'person', similarity = 0.75 WHERE similarity = 0.5",
    "DELETE FROM assignments",
    "TRUNCATE assignments",
    "UPDATE identities SET label = 'Zoë' WHERE number = 2",
    "DELETE FROM failures",
    "INSERT INTO windows (window_key, chat_no, first_id, last_id)"
    " VALUES ('22_0000000041_0000000099', 22, 41, 99)",
    "INSERT INTO windows (window_key, chat_no, first_id, last_id)"
    " VALUES ('33_0000000001_0000000099', 33, 1, 99)",
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_is_in_the_next_snapshot(
    database: Database, files: SnapshotFiles, world: World, tmp_path: Path, change: LiteralString
) -> None:
    taken(database, files)
    execute(database, change)
    taken(database, files)
    assert_as_if_new(database, files, tmp_path / "fresh")


def test_a_lease_a_counter_and_a_hash_write_nothing_again(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    taken(database, files)
    execute(database, "UPDATE media SET lease_owner = 'me', lease_until = now()")
    execute(database, """UPDATE messages SET raw = '{"views": 7}'""")
    execute(database, "UPDATE blobs SET phash = 1, linked_phash = 1, place = 'Turku'")
    assert taken(database, files).written == SMALL


def test_what_is_erased_is_in_no_file(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    taken(database, files)
    execute(database, "DELETE FROM assignments")
    execute(database, "DELETE FROM faces")
    execute(database, "UPDATE identities SET label = NULL, state = 'erased', merged_into = NULL")
    execute(database, "DELETE FROM messages WHERE chat_no = %s", FAMILY)
    taken(database, files)
    names = {str(path.relative_to(files.folder)) for path in files.folder.rglob("*.parquet")}
    assert {name for name in names if name.startswith(("faces", "assignments"))} == empties(
        "faces", "assignments"
    )
    assert not any(f"/{FAMILY}_" in name for name in names)
    assert not any(b"Ms. No" in path.read_bytes() for path in files.folder.rglob("*.*"))


def test_a_change_that_is_not_committed_yet_is_not_forgotten(
    database: Database, files: SnapshotFiles, world: World, tmp_path: Path
) -> None:
    taken(database, files)
    with database.session() as writer, writer.transaction():
        writer.execute("UPDATE messages SET deleted_at = now() WHERE chat_no = %s", (CLUB,))
        assert taken(database, files).written == SMALL
    assert taken(database, files).written == SMALL + 1
    assert_as_if_new(database, files, tmp_path / "fresh")


class Interrupted(Exception):
    pass


class DiesBeforePublishing(SnapshotFiles):
    def publish(self, manifest: Manifest) -> None:
        raise Interrupted


class DiesWriting(SnapshotFiles):
    def write(self, table: Table, part: Part, frames: Iterator[pl.DataFrame]) -> Written:
        if table.name == "faces":
            raise Interrupted
        return super().write(table, part, frames)


class DiesAfterPublishing(SnapshotFiles):
    def publish(self, manifest: Manifest) -> None:
        super().publish(manifest)
        raise Interrupted


@pytest.mark.parametrize("dying", [DiesBeforePublishing, DiesWriting, DiesAfterPublishing])
def test_a_death_at_any_moment_loses_no_change(
    database: Database,
    files: SnapshotFiles,
    world: World,
    tmp_path: Path,
    dying: type[SnapshotFiles],
) -> None:
    taken(database, files)
    execute(database, "DELETE FROM messages WHERE chat_no = %s AND message_id < 90", FAMILY)
    execute(database, "DELETE FROM faces WHERE quality < 0.5")
    with pytest.raises(Interrupted):
        taken(database, dying(files.folder))
    taken(database, files)
    assert_as_if_new(database, files, tmp_path / "fresh")


def test_files_of_another_database_and_a_lost_file_are_not_trusted(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    first = taken(database, files)
    execute(database, "UPDATE warehouse_state SET build_id = gen_random_uuid()")
    assert taken(database, files).kept == 0
    next((files.folder / "messages").glob("11_*")).unlink()
    assert taken(database, files).written == first.written


def test_a_file_that_nobody_named_is_removed(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    taken(database, files)
    left = files.folder / "faces" / "0_0000000001_0.new"
    left.write_bytes(b"half of somebody")
    taken(database, files)
    assert not left.exists()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE chats RENAME COLUMN title TO heading", "title"),
        ("ALTER TABLE failures ALTER COLUMN attempts TYPE text", "attempts"),
    ],
)
def test_a_drift_of_the_schema_is_an_error_that_names_the_column(
    database: Database, files: SnapshotFiles, world: World, statement: LiteralString, named: str
) -> None:
    taken(database, files)
    if "failures" in statement:
        execute(database, "ALTER TABLE failures DROP CONSTRAINT failures_attempts_check")
    execute(database, statement)
    with pytest.raises(Permanent, match=named):
        taken(database, files)


def test_only_one_makes_snapshots_at_a_time(
    database: Database, files: SnapshotFiles, world: World
) -> None:
    with SnapshotStore(database).look(), pytest.raises(Transient, match="being built"):
        taken(database, files)


def test_an_empty_archive_has_every_table_with_its_columns(
    database: Database, files: SnapshotFiles
) -> None:
    taken(database, files)
    for table in TABLES:
        frame = content(files)[table.name]
        assert frame.is_empty()
        assert frame.schema == table.schema
