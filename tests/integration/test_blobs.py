"""Crops in a folder and behind another fsspec URL: whole or not at all, named by content."""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from archive.errors import Permanent, Transient
from archive.media_pass.ports import Blobs
from resources.blobs import BlobStore

TOMORROW = datetime.now(UTC) + timedelta(days=1)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    place = tmp_path / "deep" / "blobs" if request.param == "folder" else f"memory://{uuid4().hex}"
    return BlobStore(place)


def test_the_same_bytes_have_one_key_and_come_back(blobs: BlobStore) -> None:
    port: Blobs = blobs
    key = port.put(b"a crop")

    assert port.put(b"a crop") == key
    assert blobs.get(key) == b"a crop"
    assert blobs.exists(key)
    digest = key.rpartition("/")[2]
    assert key == f"crops/{digest[:2]}/{digest[2:4]}/{digest}"


def test_a_sweep_takes_what_no_row_names_and_leaves_the_rest(blobs: BlobStore) -> None:
    kept, orphan = blobs.put(b"kept"), blobs.put(b"orphan")

    assert blobs.sweep({kept}, older_than=TOMORROW) == 1

    assert blobs.exists(kept)
    assert not blobs.exists(orphan)


def test_a_sweep_leaves_what_a_commit_may_still_name(blobs: BlobStore) -> None:
    key = blobs.put(b"just written")

    assert blobs.sweep(set(), older_than=YESTERDAY) == 0
    assert blobs.exists(key)


def test_a_place_that_does_not_exist_yet_is_swept_of_nothing(blobs: BlobStore) -> None:
    assert blobs.sweep(set(), older_than=TOMORROW) == 0


def test_a_missing_crop_is_told_by_its_key(blobs: BlobStore) -> None:
    key = blobs.put(b"gone")
    blobs.sweep(set(), older_than=TOMORROW)

    with pytest.raises(Permanent, match=key):
        blobs.get(key)


@pytest.mark.parametrize("key", ["../../etc/passwd", "crops/../x", "", "/etc/passwd"])
def test_nothing_outside_the_place_can_be_asked_for(blobs: BlobStore, key: str) -> None:
    with pytest.raises(ValueError, match="not the key"):
        blobs.get(key)


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (errno.ENOSPC, Permanent, "full"),
        (errno.EACCES, Permanent, "may not be written"),
        (errno.EIO, Transient, "does not answer"),
    ],
)
def test_an_interrupted_write_is_told_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    error: type[Exception],
    message: str,
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr("os.fsync", fail)
    blobs = BlobStore(tmp_path)

    with pytest.raises(error, match=message) as caught:
        blobs.put(b"a crop")

    assert str(tmp_path) in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_write_left_is_swept(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    kept = blobs.put(b"kept")
    left = tmp_path / f"{kept}.0123.part"
    left.write_bytes(b"ke")

    assert blobs.sweep({kept}, older_than=TOMORROW) == 1
    assert not left.exists()


def test_pictures_are_removed_by_name_unless_they_are_too_young(blobs: BlobStore) -> None:
    key, other = blobs.put(b"one"), blobs.put(b"two")
    assert blobs.remove({key}, older_than=YESTERDAY) == set()
    assert blobs.exists(key)

    assert blobs.remove({key}, older_than=TOMORROW) == {key}

    assert (blobs.exists(key), blobs.exists(other)) == (False, True)
    # Done again after a kill, it says the same.
    assert blobs.remove({key}, older_than=YESTERDAY) == {key}
