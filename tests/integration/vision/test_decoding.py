import struct
import zlib

import numpy as np
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
    jpeg = encoded(textured(200, 150))

    assert reason(b"") == "empty"
    assert reason(b"Dear diary, this is no picture.") == "not_an_image"
    assert reason(png_header(30_000, 30_000)) == "too_many_pixels"
    assert reason(jpeg[: len(jpeg) // 2]) == "truncated"
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
