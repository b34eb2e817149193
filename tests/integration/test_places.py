"""Names of places: the gazetteer on this machine, and what the store keeps of it."""

import io
import socket
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin

from archive.camera import camera_facts
from archive.ids import content_key
from archive.places import Place, name_places
from resources.gazetteer import GeoNames
from resources.store.database import Database
from resources.store.faces import write_blob
from resources.store.places import Places
from resources.vision.analyst import Analyst
from tests.integration.vision.pictures import encoded, plain


@pytest.fixture(scope="module")
def geonames() -> GeoNames:
    return GeoNames()


class Atlas:
    """A gazetteer of one town."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.asked: list[tuple[float, float]] = []

    def nearest(self, positions: Sequence[tuple[float, float]]) -> list[Place]:
        self.asked += positions
        return [Place(f"Town of {self.version}", "Here", "DE")] * len(positions)


def photo_with_position() -> bytes:
    rational = TiffImagePlugin.IFDRational
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:00"
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (rational(52), rational(31), rational(123456, 10000))})
    gps.update({3: "E", 4: (rational(13), rational(24), rational(36))})
    gps.update({5: b"\x01", 6: rational(69, 2)})
    return encoded(plain(), exif=exif)


def stored(database: Database, data: bytes) -> dict[str, Any]:
    found = Analyst(None).analyse(data, "image", faces=False).fingerprint
    key = content_key(found.sha256)
    with database.transaction() as connection:
        write_blob(connection, key, found)
    return {"key": key, "facts": camera_facts(found.exif)}


def test_a_position_is_named_without_a_network(
    geonames: GeoNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", None)

    hammerfest, fiji, also_fiji, sea = geonames.nearest(
        [(70.66, 23.68), (-16.8, 179.99), (-16.8, -179.99), (0.5, -30.0)]
    )

    assert hammerfest == Place("Hammerfest", "Finnmark", "NO")
    # The date line runs between them.
    assert fiji.country_code == also_fiji.country_code == "FJ"
    assert sea == Place()


def test_what_a_camera_wrote_reaches_the_store(database: Database) -> None:
    key = stored(database, photo_with_position())["key"]

    with database.transaction() as connection:
        row = connection.execute(
            "SELECT taken_at, latitude, longitude, altitude_metres, camera_make FROM blobs"
            " WHERE content_key = %s",
            (key,),
        ).fetchone()

    assert row is not None
    assert row[0] == datetime(2024, 5, 1, 12, 30)
    assert row[1:] == (pytest.approx(52.5200960), pytest.approx(13.41), -34.5, "Canon")


def test_each_position_is_named_once_by_each_gazetteer(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("TRUNCATE blobs CASCADE")
    key = stored(database, photo_with_position())["key"]
    places, first, second = Places(database), Atlas("1"), Atlas("2")

    assert [name_places(places, each) for each in (first, first, second)] == [1, 0, 1]

    assert len(first.asked) == 1
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT place, region, country_code, named_by FROM blobs WHERE content_key = %s",
            (key,),
        ).fetchone()
    assert row == ("Town of 2", "Here", "DE", "2")


def test_a_photo_as_telegram_sends_photos_has_nothing_to_name(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("TRUNCATE blobs CASCADE")
    buffer = io.BytesIO()
    plain().save(buffer, "JPEG")
    stored(database, buffer.getvalue())

    assert name_places(Places(database), Atlas("1")) == 0
