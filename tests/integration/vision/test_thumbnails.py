import io

import numpy as np
import pytest
from PIL import Image

from archive.faces.records import DerivedPicture
from resources.vision.analyst import Analyst, AnalystLimits
from resources.vision.decoding import decode_photo
from resources.vision.thumbnails import ContactSheet, thumbnails
from tests.integration.vision.pictures import encoded, textured, video

WITHOUT_AVIF = AnalystLimits(avif=False)


def opened(picture: DerivedPicture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def sizes(pictures: tuple[DerivedPicture, ...]) -> set[tuple[int, str, int, int]]:
    return {(each.edge, each.format, each.width, each.height) for each in pictures}


def test_a_large_photo_has_three_sizes_in_three_formats(six_people: bytes) -> None:
    pixels = decode_photo(six_people).pixels

    made = thumbnails(pixels)

    assert sizes(made) == {
        (edge, form, edge, round(edge * 886 / 1280))
        for edge in (256, 512, 1024)
        for form in ("webp", "avif", "jpeg")
    }
    for each in made:
        assert opened(each).size == (each.width, each.height)
        assert opened(each).format == each.format.upper()


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (100, {(256, 100)}),
        (256, {(256, 256)}),
        (300, {(256, 256), (512, 300)}),
        (1024, {(256, 256), (512, 512), (1024, 1024)}),
    ],
)
def test_nothing_is_enlarged_and_nothing_is_there_twice(
    width: int, expected: set[tuple[int, int]]
) -> None:
    made = thumbnails(np.asarray(textured(width, 60)), avif=False)

    assert {(each.edge, each.width) for each in made} == expected


def test_a_picture_one_pixel_high_keeps_its_pixel() -> None:
    made = thumbnails(np.zeros((1, 5000, 3), np.uint8), avif=False)

    assert {(each.width, each.height) for each in made} == {(256, 1), (512, 1), (1024, 1)}


def test_metadata_is_stripped_and_orientation_applied(six_people: bytes) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera"
    data = encoded(Image.open(io.BytesIO(six_people)), exif=exif)

    analysis = Analyst(None).analyse(data, "image", faces=False, thumbnails=True)

    assert all(each.height > each.width for each in analysis.pictures)
    assert not any(opened(each).getexif() for each in analysis.pictures)
    assert not any(b"Camera" in each.data for each in analysis.pictures)


def test_a_thumbnail_looks_like_its_photo(six_people: bytes) -> None:
    pixels = decode_photo(six_people).pixels
    wanted = Image.fromarray(pixels).resize((256, 177), Image.Resampling.LANCZOS)

    for each in thumbnails(pixels):
        if each.edge == 256:
            difference = np.asarray(opened(each).convert("RGB"), int) - np.asarray(wanted, int)
            assert np.abs(difference).mean() < 5


def test_two_threads_make_the_same_pictures(six_people: bytes) -> None:
    pixels = decode_photo(six_people).pixels

    one, two = thumbnails(pixels, avif=False), thumbnails(pixels, avif=False, threads=2)

    assert set(one) == set(two)


def test_a_video_has_thumbnails_of_a_frame_that_shows_something_and_a_strip() -> None:
    black = [np.zeros((90, 160, 3), np.uint8)] * 20
    noise = [np.asarray(textured(160, 90))] * 40
    data = video([*black, *noise])

    analysis = Analyst(None, WITHOUT_AVIF).analyse(data, "video", faces=False, thumbnails=True)

    thumbnail = next(each for each in analysis.pictures if each.role == "thumbnail")
    strip = next(each for each in analysis.pictures if each.role == "strip")
    assert np.asarray(opened(thumbnail).convert("L")).std() > 30
    assert (strip.width, strip.height, strip.format) == (160 * 6, 90, "webp")


def test_a_strip_spans_the_whole_length_however_long_it_is() -> None:
    sheet = ContactSheet()
    for number in range(3000):
        sheet.add(np.full((20, 30, 3), number * 255 // 3000, np.uint8))

    (strip,) = [each for each in sheet.pictures(avif=False) if each.role == "strip"]

    greys = np.asarray(opened(strip).convert("L"))[10, 15::30].astype(int)
    assert len(greys) == 6
    assert greys[0] < 20
    assert greys[-1] > 170
    assert (np.diff(greys) > 10).all()


def test_a_video_of_one_frame_has_a_poster_and_no_strip() -> None:
    data = video([np.asarray(textured(64, 48))])

    analysis = Analyst(None, WITHOUT_AVIF).analyse(data, "video", faces=False, thumbnails=True)

    assert {each.role for each in analysis.pictures} == {"thumbnail"}


def test_nobody_who_asks_for_no_thumbnails_pays_for_them(six_people: bytes) -> None:
    assert Analyst(None).analyse(six_people, "image", faces=False).pictures == ()
