import io
import struct
import zlib

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from archive.errors import ItemRejected
from resources.vision.decoding import decode_photo
from tests.integration.vision.pictures import encoded, plain, textured


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels to back it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def reason(data: bytes, **options: float) -> str:
    with pytest.raises(ItemRejected) as caught:
        decode_photo(data, **options)
    return caught.value.reason


def test_hostile_and_damaged_files_are_rejected_with_a_reason() -> None:
    assert reason(b"") == "empty"
    assert reason(b"Dear diary, this is no picture.") == "not_an_image"
    assert reason(png_header(30_000, 30_000)) == "too_many_pixels"
    assert reason(encoded(textured(200, 150), "PNG")[:9000]) == "truncated"
    assert reason(encoded(plain(2000, 1000)), max_megapixels=1.9) == "too_many_pixels"


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_file_cut_or_flipped_anywhere_is_decoded_or_rejected(format_name: str) -> None:
    whole = encoded(textured(80, 60), format_name)
    rng = np.random.default_rng(2)
    damaged = [whole[: len(whole) * tenth // 10] for tenth in range(1, 10)]
    for _ in range(30):
        flipped = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            flipped[place] ^= 1 << int(rng.integers(0, 8))
        damaged.append(bytes(flipped))

    outcomes = {outcome(data) for data in damaged}

    known = {"corrupt", "truncated", "not_an_image", "too_many_pixels"}
    assert outcomes <= {"decoded"} | known
    assert outcomes & known


def outcome(data: bytes) -> str:
    try:
        photo = decode_photo(data, max_megapixels=1)
    except ItemRejected as rejected:
        return rejected.reason
    return "decoded" if photo.pixels.shape == (photo.height, photo.width, 3) else "wrong shape"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = Image.new("RGB", (40, 20), "white")
    upright.paste("red", (0, 0, 10, 10))
    stored_as = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if stored_as is None else upright.transpose(stored_as)
    exif = Image.Exif()
    exif[0x0112] = orientation

    photo = decode_photo(encoded(stored, "PNG", exif=exif))

    np.testing.assert_array_equal(photo.pixels, np.asarray(upright))
    assert (photo.width, photo.height) == (40, 20)


@pytest.mark.parametrize(
    ("image", "format_name", "expected"),
    [
        (plain(mode="RGBA", colour=(255, 0, 0, 0)), "PNG", (255, 255, 255)),
        (plain(mode="CMYK", colour=(0, 255, 255, 0)), "JPEG", (255, 0, 0)),
        (plain(mode="L", colour=77), "PNG", (77, 77, 77)),
        (plain(mode="1", colour=1), "PNG", (255, 255, 255)),
        (plain().convert("P"), "PNG", (255, 0, 0)),
        (plain(mode="LA", colour=(50, 255)), "PNG", (50, 50, 50)),
        (Image.fromarray(np.full((48, 64), 32_768, np.uint16)), "PNG", (128, 128, 128)),
    ],
    ids=["alpha", "cmyk", "grey", "bits", "palette", "grey-alpha", "16-bit"],
)
def test_every_mode_becomes_rgb(
    image: Image.Image, format_name: str, expected: tuple[int, int, int]
) -> None:
    photo = decode_photo(encoded(image, format_name))

    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.shape == (48, 64, 3)
    assert np.abs(photo.pixels[20, 20].astype(int) - expected).max() <= 3


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [plain(colour="blue"), plain(colour="red")]

    photo = decode_photo(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))

    assert photo.pixels[20, 20].tolist() == [0, 0, 255]


def test_exif_becomes_json_scalars() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker\x00\x00"
    exif.get_ifd(0x8769)[0x829A] = 1 / 125
    exif.get_ifd(0x8769)[0x9003] = "2026:11:20 10:00:00"

    photo = decode_photo(encoded(plain(), exif=exif))

    assert photo.exif["Make"] == "Maker"
    assert photo.exif["ExposureTime"] == pytest.approx(0.008)
    assert photo.exif["DateTimeOriginal"] == "2026:11:20 10:00:00"
    assert all(isinstance(value, str | int | float) for value in photo.exif.values())


@pytest.mark.parametrize("progressive", [False, True])
def test_of_a_jpeg_that_was_cut_off_what_is_there_is_decoded(*, progressive: bool) -> None:
    jpeg = encoded(textured(400, 300), quality=90, progressive=progressive)

    photo = decode_photo(jpeg[: len(jpeg) * 3 // 4])

    assert photo.truncated
    assert (photo.width, photo.height) == (400, 300)
    assert photo.pixels[:100].std() > 10


def test_formats_that_start_other_programs_are_no_images() -> None:
    assert reason(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n") == "not_an_image"


@pytest.mark.parametrize("format_name", ["HEIF", "AVIF", "WEBP"])
def test_the_formats_of_phones_are_decoded_and_turned(format_name: str) -> None:
    if format_name == "HEIF":
        pillow_heif.register_heif_opener()
    stored = plain(80, 40, "blue")
    stored.paste("red", (0, 0, 20, 40))
    exif = Image.Exif()
    exif[0x0112] = 6

    photo = decode_photo(encoded(stored, format_name, exif=exif.tobytes(), quality=95))

    assert photo.pixels.shape == (80, 40, 3)
    assert photo.pixels[5, 20, 0] > 200
    assert photo.pixels[60, 20, 2] > 200


@pytest.mark.parametrize("format_name", ["WEBP", "AVIF", "PNG"])
def test_of_any_animation_the_first_frame_counts(format_name: str) -> None:
    frames = [plain(colour="blue"), plain(colour="red")]

    photo = decode_photo(encoded(frames[0], format_name, save_all=True, append_images=frames[1:]))

    assert photo.pixels[20, 20, 2] > 200


def test_sixteen_bits_a_colour_become_eight() -> None:
    buffer = cv2.imencode(".png", np.full((48, 64, 3), (0, 0, 32_768), np.uint16))[1]

    assert np.abs(decode_photo(buffer.tobytes()).pixels[5, 5].astype(int) - (128, 0, 0)).max() <= 1


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize(
    ("scale", "reduction"), [(1.0, 1), (0.51, 1), (0.5, 2), (0.2, 4), (0.01, 8)]
)
def test_a_jpeg_is_decoded_no_larger_than_it_is_of_use(
    orientation: int, scale: float, reduction: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(plain(161, 90), exif=exif)

    photo = decode_photo(data, useful_scale=lambda _width, _height: scale)

    sides = (90, 161) if orientation in {6, 8} else (161, 90)
    assert (photo.width, photo.height) == sides
    assert photo.reduction == reduction
    assert photo.pixels.shape == (-(-sides[1] // reduction), -(-sides[0] // reduction), 3)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_odd_orientation_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    photo = decode_photo(encoded(plain(64, 48), exif=exif))

    assert photo.pixels.shape == (48, 64, 3)


def test_opencv_and_pillow_see_the_same_jpeg() -> None:
    data = encoded(textured(121, 77), quality=92)

    whole = decode_photo(data).pixels.astype(int)

    assert np.abs(whole - np.asarray(Image.open(io.BytesIO(data)))).max() <= 2
