"""The fuzz target over everything that decodes: `python -m tests.fuzz.decoders --minutes 10`.

A case is a number: it chooses a file, damages it and has it decoded, so a finding is reproduced by
`--case NUMBER`. Right is a picture of the promised shape or an `ItemRejected`; a finding is any
other exception, a dead or hanging process, or more memory than the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import resource
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from typing import Final

from archive.errors import ItemRejected
from archive.faces.sampling import SamplingPolicy
from resources.vision.decoding import decode_photo, load_decoders
from resources.vision.jpeg import REDUCTIONS
from resources.vision.video import VideoReader
from tests.fuzz.corpus import damaged, photos, videos

MAX_MEGAPIXELS: Final = 2.0
_MEMORY: Final = 1 << 30  # bytes above what is mapped at the start
_SLOWEST: Final = 20.0  # seconds
_FRAMES: Final = 30


def run_case(number: int) -> str:
    """Decode the file that belongs to a number, and say what came of it."""
    rng = random.Random(number)
    everything = photos() | videos()
    kind, other = rng.choice(sorted(everything)), rng.choice(sorted(everything))
    data = damaged(everything[kind], everything[other], rng)
    return decode(data, rng, is_video=kind in videos())


def decode(data: bytes, rng: random.Random, *, is_video: bool) -> str:
    """Decode one file.

    Raises:
        AssertionError: What came out is not what was promised.
    """
    try:
        if is_video:
            return _decode_video(data)
        scale = 1 / rng.choice((1, *REDUCTIONS))
        photo = decode_photo(data, max_megapixels=MAX_MEGAPIXELS, useful_scale=lambda *_: scale)
    except ItemRejected as rejected:
        return rejected.reason
    small = (-(-photo.height // photo.reduction), -(-photo.width // photo.reduction), 3)
    assert photo.pixels.shape == small, (photo.pixels.shape, small)
    return "decoded"


def _decode_video(data: bytes) -> str:
    with VideoReader(data, max_megapixels=MAX_MEGAPIXELS) as video:
        for number, frame in enumerate(video.sampled(SamplingPolicy(), "video")):
            assert frame.pixels.ndim == 3
            if number >= _FRAMES:
                break
    return "decoded"


def _work(pipe: Connection, first: int) -> None:
    photos()
    videos()
    load_decoders()
    with open("/proc/self/statm") as file:  # noqa: PTH123 - a pseudo file
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + _MEMORY, mapped + _MEMORY))
    number = first
    while True:
        pipe.send((number, None))
        try:
            outcome = run_case(number)
        except BaseException as exc:
            outcome = f"FINDING {type(exc).__name__}: {exc}"
        pipe.send((number, outcome))
        number += 1


def hunt(seconds: float, first: int) -> tuple[Counter[str], list[str]]:
    """Run cases for a time, with new processes for those that die.

    Returns:
        How often each outcome came, and the findings.
    """
    outcomes: Counter[str] = Counter()
    findings: list[str] = []
    ends = time.monotonic() + seconds
    number = first
    while time.monotonic() < ends:
        number = _hunt_in_one_process(number, ends, outcomes, findings) + 1
    return outcomes, findings


def _hunt_in_one_process(
    first: int, ends: float, outcomes: Counter[str], findings: list[str]
) -> int:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(theirs, first), daemon=True)
    child.start()
    theirs.close()
    number, patience = first, 120.0
    try:
        while time.monotonic() < ends:
            if not ours.poll(patience):
                findings.append(f"{number}: took more than {_SLOWEST:g} s")
                return number
            number, outcome = ours.recv()
            patience = _SLOWEST
            if outcome is not None and outcome.startswith("FINDING"):
                findings.append(f"{number}: {outcome}")
            elif outcome is not None:
                outcomes[outcome] += 1
    except EOFError:
        child.join()
        findings.append(f"{number}: the process ended with {child.exitcode}")
    finally:
        child.kill()
        child.join()
    return number


def main() -> int:
    """Run from the command line; exit code 1 with findings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--case", type=int, help="run this one here")
    options = parser.parse_args()
    if options.case is not None:
        print(run_case(options.case))
        return 0
    with contextlib.suppress(KeyboardInterrupt):
        outcomes, findings = hunt(options.minutes * 60, options.first)
        print(f"{outcomes.total() + len(findings)} cases: {dict(outcomes.most_common())}")
        print(f"{len(findings)} findings")
        kinds = Counter(each.partition(": ")[2] for each in findings)
        for kind, count in kinds.most_common():
            first = next(each for each in findings if each.endswith(kind))
            print(f"{count} × {kind} (case {first.partition(':')[0]})")
        return int(bool(findings))
    return 130


if __name__ == "__main__":
    sys.exit(main())
