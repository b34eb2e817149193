"""Files that are read only where somebody looks, across threads and processes."""

from __future__ import annotations

import asyncio
import io
import pickle
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ItemRejected, Transient
from archive.faces.sampling import FewKeyframes
from archive.ids import MediaId
from archive.records import MediaAccess
from resources.vision.pool import AnalystPool
from resources.vision.ranges import CHUNK_BYTES, RangeFile, RangeServer
from resources.vision.video import VideoReader
from tests.integration.vision.recipes import ScriptedRecipe
from tests.integration.vision.test_video import long_video


@dataclass
class Bytes:
    """A source in memory that notes what is asked of it."""

    data: bytes
    error: Exception | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    @property
    def access(self) -> MediaAccess:
        return MediaAccess(MediaId("document:1"), 1, b"")

    async def read(self, offset: int, size: int) -> bytes:
        return self.read_now(offset, size)

    def read_now(self, offset: int, size: int) -> bytes:
        self.asked.append((offset, size))
        if self.error is not None:
            raise self.error
        return self.data[offset : offset + size]


def noise(size: int) -> bytes:
    return np.random.default_rng(size).integers(0, 255, size, np.uint8).tobytes()


@given(
    st.integers(0, 5 * CHUNK_BYTES),
    st.lists(st.tuples(st.integers(0, 6 * CHUNK_BYTES), st.integers(-1, 200_000)), max_size=20),
)
def test_it_reads_like_any_file(size: int, steps: list[tuple[int, int]]) -> None:
    data = noise(size)
    ours, theirs = RangeFile(Bytes(data).read_now, size), io.BytesIO(data)

    for place, length in steps:
        assert ours.seek(place) == theirs.seek(place)
        part = ours.read(length)
        assert part == theirs.read(len(part))
        assert bool(part) == (place < size and length != 0)
        assert ours.tell() == place + len(part)


def test_from_its_end_and_from_where_it_is() -> None:
    data = noise(300_000)
    file = RangeFile(Bytes(data).read_now, len(data))

    file.seek(-10, io.SEEK_END)
    file.seek(4, io.SEEK_CUR)

    assert file.read() == data[-6:]


def test_only_what_is_read_is_fetched_and_only_once() -> None:
    source = Bytes(noise(20 * CHUNK_BYTES + 5))
    file = RangeFile(source.read_now, source.size_bytes)

    for place in (0, 50, 7 * CHUNK_BYTES, 20 * CHUNK_BYTES + 1, 10):
        file.seek(place)
        file.read(3)

    assert source.asked == [
        (0, CHUNK_BYTES),
        (7 * CHUNK_BYTES, CHUNK_BYTES),
        (20 * CHUNK_BYTES, 5),
    ]


def test_a_server_serves_several_readers_one_after_the_other() -> None:
    source = Bytes(noise(400_000))
    with RangeServer(source.read_now, source.size_bytes) as file:
        again = pickle.loads(pickle.dumps(file))

        assert file.open().readall() == again.open().readall() == source.data


def test_a_reader_whose_server_is_gone_is_told() -> None:
    source = Bytes(noise(400_000))
    with RangeServer(source.read_now, source.size_bytes) as file:
        reader = file.open()
        reader.read(1)

    def read_on() -> None:
        # An answer may have been on its way; none follows it.
        for number in (1, 2, 3):
            reader.seek(number * CHUNK_BYTES)
            reader.read(1)

    with pytest.raises(OSError, match=r"serves|Broken|reset"):
        read_on()
    with pytest.raises(OSError):  # noqa: PT011 - the system's own words
        file.open()


def test_frames_are_those_of_the_whole_file() -> None:
    data = long_video()
    source = Bytes(data)

    def taken(file: io.IOBase) -> list[tuple[float, bytes]]:
        with VideoReader(file) as reader:
            return [(f.seconds, f.pixels.tobytes()) for f in reader.frames(FewKeyframes(10.0))]

    assert taken(RangeFile(source.read_now, len(data))) == taken(io.BytesIO(data))


@pytest.mark.parametrize("in_processes", [False, True])
async def test_workers_read_what_the_event_loop_fetches(in_processes: bool) -> None:  # noqa: FBT001
    source = Bytes(long_video())
    async with AnalystPool(ScriptedRecipe(in_processes), workers=1) as pool:
        found = await pool.analyse(source, "video")

    assert found.fingerprint.sha256 is None
    assert found.fingerprint.size_bytes == len(source.data)
    assert found.fingerprint.duration_seconds == pytest.approx(40)


async def test_a_suspect_is_read_by_a_child_of_its_own() -> None:
    source = Bytes(long_video())
    async with AnalystPool(None, workers=1) as pool:
        found = await pool.analyse_alone(source, "video", faces=False)

    assert found.fingerprint.width == 64


@pytest.mark.parametrize("error", [Transient("wait", 900), ItemRejected("gone", "no file")])
async def test_what_the_source_says_is_what_the_caller_hears(error: Exception) -> None:
    source = Bytes(long_video(), error=error)
    async with AnalystPool(None, workers=1) as pool:
        with pytest.raises(type(error)) as caught:
            await pool.analyse(source, "video", faces=False)

    assert caught.value is error


async def test_an_error_in_the_middle_is_no_broken_tail() -> None:
    source = Bytes(long_video() + bytes(20 * CHUNK_BYTES))
    error = Transient("the connection was lost")

    class Breaks(Bytes):
        async def read(self, offset: int, size: int) -> bytes:
            await asyncio.sleep(0)
            if offset:
                raise error
            return await super().read(offset, size)

    async with AnalystPool(None, workers=1) as pool:
        with pytest.raises(Transient, match="lost"):
            await pool.analyse(Breaks(noise(30) + source.data), "video", faces=False)
