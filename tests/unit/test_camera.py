from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.camera import CameraFacts, camera_facts

PHONE = {
    "DateTime": "2024:06:02 08:00:00",
    "DateTimeDigitized": "2024:05:01 12:30:01",
    "DateTimeOriginal": "2024:05:01 12:30:00",
    "OffsetTimeOriginal": "+02:00",
    "GPSLatitude": "52 31 12.36",
    "GPSLatitudeRef": "N",
    "GPSLongitude": "13 24 36",
    "GPSLongitudeRef": "E",
    "GPSAltitude": 34.5,
    "GPSAltitudeRef": 0,
    "Make": "Canon ",
    "Model": "EOS R5",
    "LensModel": "RF24-70mm",
    "ISOSpeedRatings": 400,
    "FNumber": 2.8,
    "ExposureTime": 0.004,
    "FocalLength": 35.0,
}


def test_everything_a_camera_writes_is_read() -> None:
    facts = camera_facts(PHONE)

    assert facts == CameraFacts(
        taken_at=datetime(2024, 5, 1, 12, 30),
        utc_offset_minutes=120,
        latitude=pytest.approx(52.5201),
        longitude=pytest.approx(13.41),
        altitude_metres=34.5,
        make="Canon",
        model="EOS R5",
        lens="RF24-70mm",
        iso=400,
        aperture=2.8,
        shutter_seconds=0.004,
        focal_length_mm=35.0,
    )


@pytest.mark.parametrize(
    ("missing", "second"),
    [
        ([], 0),
        (["DateTimeOriginal"], 1),
        (["DateTimeOriginal", "DateTimeDigitized"], None),
    ],
)
def test_the_moment_comes_before_the_digital_form_and_the_last_change(
    missing: list[str], second: int | None
) -> None:
    facts = camera_facts({name: value for name, value in PHONE.items() if name not in missing})

    assert facts.taken_at is not None
    assert (facts.taken_at.month, facts.taken_at.second) == (
        (5, second) if second is not None else (6, 0)
    )


def test_a_clock_that_was_never_set_gives_way_to_the_next_date() -> None:
    facts = camera_facts({**PHONE, "DateTimeOriginal": "0000:00:00 00:00:00"})

    assert facts.taken_at is not None
    assert facts.taken_at.second == 1
    assert facts.utc_offset_minutes is None


def test_south_and_west_and_below_the_sea_are_negative() -> None:
    facts = camera_facts(
        {**PHONE, "GPSLatitudeRef": "S", "GPSLongitudeRef": "W", "GPSAltitudeRef": 1}
    )

    assert (facts.latitude, facts.longitude) == (pytest.approx(-52.5201), pytest.approx(-13.41))
    assert facts.altitude_metres == -34.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"GPSLatitude": "91 0 0"},
        {"GPSLatitude": "52 -1 0"},
        {"GPSLatitude": "52 31 12 1"},
        {"GPSLatitude": "nonsense"},
        {"GPSLatitudeRef": ""},
        {"GPSLongitude": float("nan")},
        {"GPSLatitude": "0 0 0", "GPSLongitude": "0 0 0"},
    ],
)
def test_a_position_that_makes_no_sense_is_none_at_all(wrong: dict[str, str | float]) -> None:
    facts = camera_facts({**PHONE, **wrong})

    assert (facts.latitude, facts.longitude, facts.altitude_metres) == (None, None, None)
    assert facts.model == "EOS R5"


def test_a_photo_without_tags_says_nothing() -> None:
    assert camera_facts({}) == CameraFacts()


# Drawing the tags takes longer than reading them, on a busy machine too long for a health check.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(PHONE)),
        st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.booleans()),
    )
)
def test_no_tag_is_an_error(tags: dict[str, str | int | float | bool]) -> None:
    facts = camera_facts(tags)

    assert facts.latitude is None or -90 <= facts.latitude <= 90
    assert facts.iso is None or facts.iso > 0
