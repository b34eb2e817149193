"""The models we know: licence, thresholds, and who may use them.

A registry and a gate. Finding the files of a pack is `packs`, running it is the engines' part.
Thresholds stand here, beside the model they were measured on, and reach everyone else inside
its `ModelRecord`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from archive.errors import Permanent
from archive.faces.records import ModelKind, ModelThresholds

DLIB: Final = "dlib"
ALTERNATIVES: Final = (
    "AuraFace (model `auraface`, Apache-2.0) and dlib (model `dlib`, CC0 and Boost, nothing to "
    "download) are free for any use"
)

_NON_COMMERCIAL: Final = "InsightFace pretrained models: non-commercial research only"

# Not measured here: no such pack can be had where this was written. buffalo_l's best F1 on LFW lies
# at cosine 0.25, products ship 0.5–0.55 (published); a wrong merge costs a person more than a
# missing photo, so these stay near the latter. Gates as for the pack that could be measured.
_ARCFACE_512: Final = ModelThresholds(
    accept=0.40,
    margin=0.05,
    found=0.50,
    min_quality=0.10,
    min_quality_to_found=0.40,
    min_face_pixels=20,
    min_face_pixels_to_found=48,
    min_quality_to_match=0.25,
)

# Measured on lfw10, the largest face of each photo: cosines within a person 0.34 / 0.48 / 0.68
# (1st, 5th, 50th percentile), between persons 0.26 / 0.31 / 0.36 (99th, 99.9th, maximum).
# Gates: those 100 faces have quality 0.56–0.87 and sides of 77–113 px. What must not found:
#   - the audience behind Vladimir_Putin_0007: 27–30 px, 0.07–0.09, cosines 0.52–0.70 to each other;
#   - the blurred crowd of hamilton_clip.mp4 (8.9 s on): at most 0.29, cosines up to 0.94;
#   - its dissolve at 2.9 s: below 0.02, cosines 0.85–0.93 between four people.
# The man of that clip (3.9–7.9 s, 80–86 px) has 0.67–0.78. Four of the 16 bystanders of lfw10 are
# good enough to pass (0.41–0.65); their cosines to each other are at most 0.39, so they stay alone.
# Matching: the 100 faces blurred by 3 px are like each other's strangers up to .68 and have .21 in
# the median; shrunk to 24 px they are not (.41) and have .32 (docs/faces.md).
_MOBILEFACENET: Final = ModelThresholds(
    accept=0.38,
    margin=0.05,
    found=0.45,
    min_quality=0.10,
    min_quality_to_found=0.40,
    min_face_pixels=20,
    min_face_pixels_to_found=48,
    min_quality_to_match=0.25,
)

# Measured on lfw10 with unit vectors: within a person 0.906 / 0.922 / 0.954 (1st, 5th, 50th
# percentile), between persons 0.902 / 0.914 / 0.922 (99th, 99.9th, maximum). Quality of the 100
# largest faces 0.45–0.89. HOG does not see small or blurred crowds (none of those above), so the
# gate may be lower: the sixth person of insightface's t1.jpg, half turned, has 0.35.
# Accept: when lfw10 came shuffled in five batches, .915 ended with one of the ten people inside
# another's identity in some of 12 shuffles, .92 and .925 in none (tests/integration/test_lfw10.py).
_DLIB: Final = ModelThresholds(
    accept=0.92,
    margin=0.005,
    found=0.93,
    min_quality=0.10,
    min_quality_to_found=0.25,
    min_face_pixels=30,
    min_face_pixels_to_found=48,
    min_quality_to_match=0.25,
)


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What we know about a model before any file is read.

    Attributes:
        name: `dlib` or the name of the pack's folder.
        kind: What loads it.
        licence: In words.
        commercial_use: Whether the licence allows it.
        thresholds: Its own.
        fetched_by_insightface: Whether insightface downloads it by this name.
        how_to_get: What to do when its folder is missing and nothing can be fetched.
    """

    name: str
    kind: ModelKind
    licence: str
    commercial_use: bool
    thresholds: ModelThresholds
    fetched_by_insightface: bool = False
    how_to_get: str = "put the pack's .onnx files there"


def _insightface_pack(name: str) -> KnownModel:
    return KnownModel(
        name,
        "insightface",
        _NON_COMMERCIAL,
        commercial_use=False,
        thresholds=_ARCFACE_512,
        fetched_by_insightface=True,
        how_to_get=f"connect to the network once, or unpack {name}.zip of insightface's "
        "model-zoo release there",
    )


_REGISTRY: Final[Mapping[str, KnownModel]] = MappingProxyType(
    {
        DLIB: KnownModel(
            DLIB, "dlib", "dlib models: CC0; dlib: Boost", commercial_use=True, thresholds=_DLIB
        ),
        **{name: _insightface_pack(name) for name in ("buffalo_l", "buffalo_s", "antelopev2")},
        "auraface": KnownModel(
            "auraface",
            "insightface",
            "AuraFace: Apache-2.0",
            commercial_use=True,
            thresholds=_ARCFACE_512,
            how_to_get="put the .onnx files of the model fal/AuraFace-v1 there",
        ),
        "scrfd_mobilefacenet": KnownModel(
            "scrfd_mobilefacenet",
            "insightface",
            "SCRFD: non-commercial research only; MobileFaceNet: Apache-2.0",
            commercial_use=False,
            thresholds=_MOBILEFACENET,
        ),
    }
)


def look_up(name: str) -> KnownModel:
    """Give what is known about a model.

    A folder we have never heard of may be anybody's work under any licence, so it counts as
    non-commercial, and gets the cautious thresholds of a 512-d ArcFace model.

    Args:
        name: `dlib` or the name of a pack's folder.
    """
    return _REGISTRY.get(name) or KnownModel(
        name,
        "insightface",
        "unknown: an own pack, its licence is for you to check",
        commercial_use=False,
        thresholds=_ARCFACE_512,
    )


def require_licence(model: KnownModel, *, accept_noncommercial: bool) -> None:
    """Let a model pass only if its licence was accepted.

    Raises:
        Permanent: It is not free for every use and nobody said that this use is allowed; the
            text names the way to accept and the alternatives.
    """
    if model.commercial_use or accept_noncommercial:
        return
    raise Permanent(
        f"model `{model.name}` may not be used without your consent ({model.licence}). If your "
        f"use is allowed, set accept_noncommercial_models=true; otherwise choose another: "
        f"{ALTERNATIVES}."
    )
