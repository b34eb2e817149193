"""All faces at once, as if nobody were known: which of them are one person's.

A proposal, not a decision: what becomes of it is `stability` and a person. Faces good enough to
found are grouped by `agglomeration`, down to the score at which the live matcher decides nothing
any more; then faces that stayed alone, poor ones among them, join the group whose mean direction
they clearly resemble. What a person said is kept: linked faces are together, parted ones never.

Compared in November 2026 with DBSCAN, HDBSCAN, Chinese whispers, Leiden, Infomap and plain average
and complete linkage on lfw10 and worlds of `benchmarks.identity_world`; docs/identities.md has
the table. None of them kept siblings apart as well, which is what a person forgives least.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from archive.identity.agglomeration import PARTED, Agglomeration
from archive.identity.constraints import Links
from archive.identity.neighbours import EXACT_UP_TO, Pairs, near_pairs
from archive.identity.records import FaceSet, FaceVector
from archive.identity.rules import Rules, same_picture
from archive.ids import FaceId

Rows = NDArray[np.intp]

# A face of quality 0 that a person linked still has a place.
_LEAST_WEIGHT = 0.05


def cluster(faces: FaceSet, rules: Rules, links: Links, *, exact_up_to: int = EXACT_UP_TO) -> Rows:
    """Group faces into people.

    Args:
        faces: In any order; whom they are assigned to plays no part.
        rules: The numbers to decide by.
        links: What people said.
        exact_up_to: Faces up to which near ones are found without an approximation.

    Returns:
        (n,) the number of each face's group, 0 for that of the earliest face. A face that belongs
        to nobody is a group of its own. The same faces give the same groups in any order.
    """
    order = sorted(range(len(faces)), key=lambda row: faces.faces[row].place)
    grouped = _grouped(faces.take(order), rules, links, exact_up_to)
    # The numbers of groups follow the order in which their first faces come.
    _, first, members = np.unique(grouped, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), dtype=np.intp)
    numbers[np.argsort(first)] = np.arange(len(first))
    found = np.empty(len(faces), dtype=np.intp)
    found[np.asarray(order, dtype=np.intp)] = numbers[members]
    return found


def may_begin(faces: Iterable[FaceVector], rules: Rules) -> bool:
    """Tell whether a group is enough for a new person: good faces of `min_faces` pictures."""
    kept: list[FaceVector] = []
    for face in faces:
        if rules.may_found(face) and not any(same_picture(face, other) for other in kept):
            kept.append(face)
            if len(kept) == rules.min_faces:
                return True
    return False


def _grouped(faces: FaceSet, rules: Rules, links: Links, exact_up_to: int) -> Rows:
    if not len(faces):
        return np.empty(0, dtype=np.intp)
    quality = np.asarray([face.quality for face in faces.faces], dtype=np.float32)
    founders = np.asarray([rules.may_found(face) for face in faces.faces])
    together, parted = _said(faces, links)
    groups = Agglomeration(
        faces.vectors,
        np.maximum(quality, _LEAST_WEIGHT),
        together=together,
        parted=parted,
        beside=_in_one_frame(faces),
        penalty=rules.same_frame_penalty,
        usual=rules.found,
    )
    linked = np.zeros(len(faces), dtype=np.bool_)
    linked[np.concatenate([together.first, together.second])] = True
    counts = founders | linked
    near = near_pairs(faces.vectors, np.flatnonzero(counts), rules.floor, exact_up_to=exact_up_to)
    groups.grow(near.take(counts[near.first] & counts[near.second]), rules.floor)
    _join_alone(faces, groups, near, rules, parted)
    return groups.group_of


def _join_alone(
    faces: FaceSet, groups: Agglomeration, near: Pairs, rules: Rules, parted: Pairs
) -> None:
    """Let faces that are alone join the group they clearly belong to, all against the same groups.

    A face that a person parted from others goes last, one by one and asked again: two such faces
    might meet in a group that neither was in before.
    """
    alone = groups.sizes[groups.group_of] == 1
    grown = groups.sizes[groups.group_of] >= max(2, rules.min_faces)
    rows = np.concatenate([near.first, near.second])
    others = np.concatenate([near.second, near.first])
    asks = alone[rows] & grown[others]
    # A group is asked for once, however many of its faces are near.
    keys = np.unique(rows[asks] * len(faces) + groups.group_of[others[asks]])
    rows, targets = np.divmod(keys, len(faces))
    joining = _clear(faces, rows, targets, groups.centre_cosines(rows, targets), rules)
    rows, targets = rows[joining], targets[joining]
    careful = np.isin(rows, np.concatenate([parted.first, parted.second]))
    groups.absorb(rows[~careful], targets[~careful])
    for row, target in zip(rows[careful], targets[careful], strict=True):
        if groups.centre_cosines(row[None], target[None])[0] > PARTED:
            groups.absorb(row[None], target[None])


def _clear(
    faces: FaceSet, rows: Rows, targets: Rows, cosines: NDArray[np.float64], rules: Rules
) -> Rows:
    """Choose who joins: clearly one group's, and of one frame only the best for each group."""
    best_first = np.lexsort((targets, -cosines, rows))
    leads = np.flatnonzero(np.diff(rows[best_first], prepend=-1))
    best = best_first[leads]
    follows = np.minimum(leads + 1, len(rows) - 1)
    rival = best_first[follows]
    second = np.where((rows[rival] == rows[best]) & (rival != best), cosines[rival], PARTED)
    clear = best[(cosines[best] >= rules.accept) & (cosines[best] - second >= rules.margin)]
    chosen: dict[object, int] = {}
    for index in sorted(clear.tolist(), key=lambda index: (-cosines[index], index)):
        chosen.setdefault((faces.faces[rows[index]].frame, int(targets[index])), index)
    return np.asarray(sorted(chosen.values()), dtype=np.intp)


def _said(faces: FaceSet, links: Links) -> tuple[Pairs, Pairs]:
    """Put what people said into rows: who is together, in a chain, and who is parted."""
    row_of = {face.face_id: row for row, face in enumerate(faces.faces)} if links else {}

    def here(face_ids: Iterable[FaceId]) -> list[int]:
        return sorted(row_of[face_id] for face_id in face_ids if face_id in row_of)

    together = [pair for component in links.components() for pair in pairwise(here(component))]
    sides = [(here(links.together(a)), here(links.together(b))) for a, b in links.parted_pairs()]
    parted = [(one[0], other[0]) for one, other in sides if one and other]
    return Pairs.of(together), Pairs.of(parted)


def _in_one_frame(faces: FaceSet) -> Pairs:
    """Give the pairs of faces that one still picture shows."""
    frames: dict[object, list[int]] = {}
    for row, face in enumerate(faces.faces):
        frames.setdefault(face.frame, []).append(row)
    return Pairs.of(pair for rows in frames.values() for pair in combinations(rows, 2))
