"""Which models there are, and who may use them.

A look-up and a gate. What is known of each is `registry`, finding the files of a pack is `packs`,
running it is the engines' part. Thresholds reach everyone else inside a `ModelRecord`.
"""

from __future__ import annotations

from typing import Final

from archive.errors import Permanent
from resources.vision.known_models import KnownModel
from resources.vision.registry import DLIB, REGISTRY
from resources.vision.thresholds import ARCFACE_512, ARCFACE_512_GROUNDS

__all__ = ["ALTERNATIVES", "DLIB", "KnownModel", "look_up", "require_licence", "require_usable"]

ALTERNATIVES: Final = (
    "AuraFace (model `auraface`, Apache-2.0; about its detector see `face-archive models show "
    "auraface`) and dlib (model `dlib`, CC0 and Boost, nothing to download) are free for any use"
)


def look_up(name: str) -> KnownModel:
    """Give what is known about a model.

    A folder we have never heard of may be anybody's work under any licence, so it counts as
    non-commercial, and gets the cautious thresholds of a 512-d ArcFace model.

    Args:
        name: `dlib` or the name of a pack's folder.
    """
    return REGISTRY.get(name) or KnownModel(
        name,
        "insightface",
        "unknown: an own pack, its licence is for you to check",
        commercial_use=False,
        thresholds=ARCFACE_512,
        grounds=ARCFACE_512_GROUNDS,
    )


def require_usable(model: KnownModel) -> None:
    """Let a model pass only if this program can work with it.

    Raises:
        Permanent: It cannot; the text says why.
    """
    if model.unusable:
        raise Permanent(f"model `{model.name}` cannot be used: {model.unusable}. {ALTERNATIVES}.")


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
