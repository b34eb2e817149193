"""`identity.quality`: how well people are found, beside four other ways of finding them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

from benchmarks.claims import Measurement, NotMeasurable, claim, shared_data
from benchmarks.identity_album import Album, Judged, lfw10, made
from benchmarks.identity_world import DEFAULT, SIBLINGS

# The rules' numbers were chosen on the world of `SIBLINGS`: worlds they have not seen judge them.
_OTHER_SIBLINGS: Final = (1, 3, 4, 5, 13)


@claim(
    "identity.quality",
    title="F of people found, default and siblings worlds: the least lead over the best peer",
    unit="F",
    bar=0.0,
    absolute=True,
)
def measure_quality(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare BCubed and pairwise F with the best peer of each, in both worlds."""
    leads, details = [], []
    for name, album in _worlds(quick).items():
        ours, peers = _compared(name, quick)
        leads.append(ours.bcubed.f - max(peer.bcubed.f for peer in peers))
        leads.append(ours.pairwise.f - max(peer.pairwise.f for peer in peers))
        told = "; ".join(str(each) for each in (ours, *peers))
        details.append(f"{name} ({len(album.faces)} faces): {told}")
    return Measurement((min(leads),), (), f"BCubed/pairwise. Generated: {'. '.join(details)}")


@claim(
    "identity.quality.siblings",
    title="BCubed precision where a third of everybody's faces is alike a sibling's",
    unit="precision",
    bar=0.99,
    absolute=True,
)
def measure_siblings(quick: bool) -> Measurement:  # noqa: FBT001
    """Judge several siblings worlds by precision; the median stands."""
    ours, peers = _compared("siblings", quick)
    told = "; ".join(str(each) for each in peers)
    others = () if quick else tuple(map(_precision, _OTHER_SIBLINGS))
    seeds = ", ".join(map(str, _OTHER_SIBLINGS))
    listed = ", ".join(f"{one:.4f}" for one in others)
    return Measurement(
        (ours.bcubed.precision, *others),
        (),
        f"generated, families of three. {ours}; {told}; other worlds (seeds {seeds}): {listed}",
    )


@claim(
    "identity.quality.lfw10",
    title="BCubed F on ten people of lfw10",
    unit="F",
    bar=0.98,
    absolute=True,
)
def measure_lfw10(quick: bool) -> Measurement:  # noqa: FBT001
    """Judge the largest face of each photo."""
    ours, peers = _lfw10_compared(quick)
    told = "; ".join(str(each) for each in peers)
    return Measurement((ours.bcubed.f,), (), f"lfw10, MobileFaceNet. {ours}; {told}")


@claim(
    "identity.quality.lfw10.peers",
    title="F on lfw10: the least lead over the best peer",
    unit="F",
    bar=0.0,
    absolute=True,
)
def measure_lfw10_lead(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare with the peers on the same vectors."""
    ours, peers = _lfw10_compared(quick)
    lead = min(
        ours.bcubed.f - max(peer.bcubed.f for peer in peers),
        ours.pairwise.f - max(peer.pairwise.f for peer in peers),
    )
    return Measurement((lead,), (), "lfw10, MobileFaceNet; figures at identity.quality.lfw10")


@cache
def _worlds(quick: bool) -> dict[str, Album]:  # noqa: FBT001
    faces, people = (2_000, 150) if quick else (DEFAULT.faces, DEFAULT.people)
    specs = {"default": DEFAULT, "siblings": SIBLINGS}
    return {name: made(replace(spec, faces=faces, people=people)) for name, spec in specs.items()}


@cache
def _compared(name: str, quick: bool) -> tuple[Judged, list[Judged]]:  # noqa: FBT001
    album = _worlds(quick)[name]
    return album.by_us(), album.by_peers()


def _precision(seed: int) -> float:
    return made(replace(SIBLINGS, seed=seed)).by_us().bcubed.precision


@cache
def _lfw10_compared(quick: bool) -> tuple[Judged, list[Judged]]:  # noqa: FBT001
    """Judge everybody on lfw10; `quick` changes nothing, it is small."""
    shared = shared_data()
    if shared is None or not (shared / "models").is_dir():
        raise NotMeasurable("needs the shared photos and models")
    album = lfw10(shared)
    return album.by_us(), album.by_peers()
