"""What can be known about a model before any file is read: the vocabulary of the registry.

Records only. Which models there are is `registry`, their numbers are `thresholds`, and who may use
one is `models`. Nothing stands here without its source: a number nobody can trace is a guess, and
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from archive.faces.records import ModelKind, ModelThresholds


class SourceKind(StrEnum):
    """How much a number or a digest is worth."""

    PAPER = "paper"
    PUBLISHED_TABLE = "published table"
    """By the makers of the model, on their page or in their repository."""

    REPORTED = "reported"
    """By several who use the same file, not by its makers."""

    OUR_CALIBRATION = "our calibration"
    OUR_COPY = "our copy"
    """Read from the files that we had; nobody publishes it."""

    CAUTIOUS_GUESS = "cautious guess"


@dataclass(frozen=True, slots=True)
class Source:
    """Where something comes from.

    Attributes:
        text: The title and place, or the reasoning of a guess.
        data: What it was measured on.
        at: When; None where only the year is known, and then in `text`.
    """

    kind: SourceKind
    text: str
    data: str = ""
    at: date | None = None

    def __str__(self) -> str:
        """In one line, for a person."""
        measured = ", ".join(filter(None, (self.data, self.at.isoformat() if self.at else "")))
        return f"{self.kind}: {self.text}" + (f" ({measured})" if measured else "")


@dataclass(frozen=True, slots=True)
class Grounds:
    """Where some of a model's thresholds come from.

    Attributes:
        thresholds: Names of fields of `ModelThresholds`.
    """

    thresholds: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Figure:
    """An accuracy as somebody published it.

    Attributes:
        test: Of what, in the table's own name.
        percent: 0–100.
    """

    test: str
    percent: float
    source: Source


Role = Literal["detector", "landmarks", "recogniser"]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a model, or what stands in its place.

    Attributes:
        network: Architecture and what it was trained on.
        file: Its usual name; empty where there is no file, or where names vary.
        sha256: Hex digest; None where nobody we can trust says it.
        sha256_from: Who says it.
        input_pixels: Side of its square input; 0 where it takes any size.
        licence: Its own, where that is not the whole model's.
    """

    role: Role
    network: str
    file: str = ""
    sha256: str | None = None
    sha256_from: Source | None = None
    input_pixels: int = 0
    licence: str = ""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What we know about a model before any file is read.

    Attributes:
        name: `dlib` or the name of the pack's folder.
        kind: What loads it.
        licence: In words.
        commercial_use: Whether the licence allows it.
        thresholds: Its own.
        grounds: Where they come from, each field once.
        fetched_by_insightface: Whether insightface downloads it by this name.
        how_to_get: What to do when its folder is missing and nothing can be fetched.
        source: Who made it, and where.
        parts: Its files in the order of their use; empty for a pack that nobody described.
        dims: Length of an embedding; 0 where unknown.
        alignment: How a face is brought before the recogniser.
        providers: What may run it.
        megabytes: To fetch, as published; None where unknown, 0 where nothing is fetched.
        accuracy: As published.
        unusable: Why this program cannot work with it; empty where it can.
    """

    name: str
    kind: ModelKind
    licence: str
    commercial_use: bool
    thresholds: ModelThresholds
    grounds: tuple[Grounds, ...]
    fetched_by_insightface: bool = False
    how_to_get: str = "put the pack's .onnx files there"
    source: str = "unknown"
    parts: tuple[Part, ...] = ()
    dims: int = 0
    alignment: str = "similarity transform of five points to the ArcFace template"
    providers: tuple[str, ...] = ("cpu", "openvino", "openvino-bf16", "cuda", "tensorrt", "coreml")
    megabytes: int | None = None
    accuracy: tuple[Figure, ...] = ()
    unusable: str = ""

    @property
    def allows(self) -> str:
        """What one may do with it, in words."""
        return "any use" if self.commercial_use else "non-commercial research only"

    def part(self, role: Role) -> Part | None:
        """Give what is known of a file; None where nothing is."""
        return next((part for part in self.parts if part.role == role), None)
