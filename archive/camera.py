"""What a camera wrote into a picture: when, where, with what. From EXIF tags to checked values.

Pure reading of tags that the decoder gave. Photos that were sent as *photo* carry none: Telegram
strips them; only images sent as files have them. Names of places are ``places``'s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from archive.faces.records import ExifScalar

Tags = Mapping[str, ExifScalar]

# The moment of the picture, then of its digital form, then of the last change to the file. Each
# with the tag that says how far its clock was from UTC (EXIF 2.31).
_DATES: Final = (
    ("DateTimeOriginal", "OffsetTimeOriginal"),
    ("DateTimeDigitized", "OffsetTimeDigitized"),
    ("DateTime", "OffsetTime"),
)
_OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})")
_OLDEST_YEAR: Final = 1900  # a camera without a set clock writes 0000 or nonsense


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What is known of how a picture was taken; ``None`` where the file does not say it.

    Attributes:
        taken_at: What the camera's clock showed; without a zone, for most files name none.
        utc_offset_minutes: How far that clock was ahead of UTC, where the file says it.
        latitude: Degrees, north positive.
        longitude: Degrees, east positive.
        altitude_metres: Above the sea.
        aperture: The f-number.
        shutter_seconds: Time of exposure.
        focal_length_mm: Of the lens itself.
    """

    taken_at: datetime | None = None
    utc_offset_minutes: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_metres: float | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    iso: int | None = None
    aperture: float | None = None
    shutter_seconds: float | None = None
    focal_length_mm: float | None = None


def camera_facts(tags: Tags) -> CameraFacts:
    """Read tags; what makes no sense is left out, never an error.

    Args:
        tags: Name → scalar; three numbers of a GPS position as one text.
    """
    taken_at, offset = next(_dates(tags), (None, None))
    latitude, longitude = _position(tags)
    return CameraFacts(
        taken_at=taken_at,
        utc_offset_minutes=offset,
        latitude=latitude,
        longitude=longitude,
        altitude_metres=None if latitude is None else _altitude(tags),
        make=_text(tags, "Make"),
        model=_text(tags, "Model"),
        lens=_text(tags, "LensModel"),
        iso=_iso(tags),
        aperture=_positive(tags, "FNumber"),
        shutter_seconds=_positive(tags, "ExposureTime"),
        focal_length_mm=_positive(tags, "FocalLength"),
    )


def _dates(tags: Tags) -> Iterator[tuple[datetime, int | None]]:
    for name, offset_name in _DATES:
        try:
            taken_at = datetime.strptime(str(tags.get(name, ""))[:19], "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue
        if taken_at.year >= _OLDEST_YEAR:
            yield taken_at, _offset(str(tags.get(offset_name, "")))


def _offset(text: str) -> int | None:
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    # The widest zones are UTC−12 and UTC+14.
    return (-minutes if found[1] == "-" else minutes) if minutes <= 14 * 60 else None


def _position(tags: Tags) -> tuple[float, float] | tuple[None, None]:
    latitude = _degrees(tags, "GPSLatitude", {"N": 1, "S": -1}, 90)
    longitude = _degrees(tags, "GPSLongitude", {"E": 1, "W": -1}, 180)
    # Both exactly zero is a receiver that had no position yet, not a ship off Ghana.
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None
    return latitude, longitude


def _degrees(tags: Tags, name: str, signs: Mapping[str, int], most: float) -> float | None:
    sign = signs.get(str(tags.get(f"{name}Ref", "")).strip().upper()[:1])
    parts = [_finite(part) for part in str(tags.get(name, "")).split()]
    if sign is None or not 1 <= len(parts) <= 3:
        return None
    degrees = 0.0
    for part, share in zip(parts, (1, 60, 3600), strict=False):
        if part is None or part < 0:
            return None
        degrees += part / share
    return sign * degrees if degrees <= most else None


def _altitude(tags: Tags) -> float | None:
    metres = _finite(tags.get("GPSAltitude"))
    if metres is None:
        return None
    below = str(tags.get("GPSAltitudeRef", 0)) == "1"
    return -abs(metres) if below else metres


def _iso(tags: Tags) -> int | None:
    # Some cameras write two values into the field; the first is the one that was set.
    first = str(tags.get("ISOSpeedRatings", "")).split()[:1]
    number = _finite(first[0]) if first else None
    return int(number) if number is not None and 1 <= number < 1e8 else None


def _positive(tags: Tags, name: str) -> float | None:
    number = _finite(tags.get(name))
    return number if number is not None and number > 0 else None


def _text(tags: Tags, name: str) -> str | None:
    value = tags.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _finite(value: ExifScalar | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
