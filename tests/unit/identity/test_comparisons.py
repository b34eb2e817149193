"""What is compared with what: every face with every person, and never with its own picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archive.identity.comparisons import MOST_FACES, MOST_PEOPLE, LabelledFaces, compare
from archive.identity.matching import identity_scores
from tests.unit.identity.worlds import DIMS, RULES, around, directions, face, of_people

# Nothing is asked beyond the threshold.
PLAIN = replace(RULES, found=RULES.accept)


def labelled(*sizes: int, rejections: tuple[tuple[int, str], ...] = ()) -> LabelledFaces:
    """Give people of that many photos, called a, b, c …"""
    centres = directions(len(sizes), np.random.default_rng(1))
    groups = [
        around(centre, size, 0.7, n)
        for n, (centre, size) in enumerate(zip(centres, sizes, strict=True))
    ]
    faces, people = of_people(*groups)
    names = tuple("abcdefgh"[person] for person in people)
    return LabelledFaces(faces.faces, faces.vectors, names, rejections=rejections)


def test_every_face_meets_its_own_person_once_and_every_other_once() -> None:
    found = compare(labelled(3, 4, 2), PLAIN)
    assert found.people == ("a", "b", "c")
    assert int(found.genuine.sum()) == 3 + 4 + 2
    assert int((~found.genuine).sum()) == (4 + 2) + (3 + 2) + (3 + 4)
    assert np.all((found.shown == found.compared) == found.genuine)
    assert found.scores[found.genuine].min() > found.scores[~found.genuine].max()


def test_a_face_is_compared_with_its_persons_other_faces_only() -> None:
    known = labelled(3, 2)
    found = compare(known, PLAIN)
    row = int(np.flatnonzero(found.genuine & (found.rows == 1))[0])
    others = known.vectors[[0, 2]]
    assert found.scores[row] == identity_scores(known.vectors[1:2], others)[0]


def test_what_a_clear_face_needs_beyond_the_threshold_is_taken_off_its_score() -> None:
    known = labelled(3, 2)
    beyond = RULES.need(known.faces[0]) - RULES.accept
    assert beyond == pytest.approx(RULES.found - RULES.accept)
    difference = compare(known, PLAIN).scores - compare(known, RULES).scores
    np.testing.assert_allclose(difference, beyond, atol=2e-5)


def test_a_near_copy_is_no_other_picture() -> None:
    known = labelled(3, 2)
    faces = list(known.faces)
    faces[0], faces[1] = replace(faces[0], phash=5), replace(faces[1], phash=4)
    found = compare(replace(known, faces=tuple(faces)), PLAIN)
    row = int(np.flatnonzero(found.genuine & (found.rows == 0))[0])
    assert found.scores[row] == identity_scores(known.vectors[:1], known.vectors[2:3])[0]


def test_a_person_of_one_picture_is_compared_with_nobody_and_nobody_with_them() -> None:
    found = compare(labelled(3, 1, 2), PLAIN)
    assert found.people == ("a", "c")
    assert 3 not in found.rows


def test_a_rejection_is_an_impostor_even_where_nobody_knows_who_it_is() -> None:
    known = labelled(3, 2)
    stranger = around(known.vectors[0], 1, 0.9, 99)
    known = LabelledFaces(
        (*known.faces, face(9)),
        np.concatenate([known.vectors, stranger]),
        (*known.people, None),
        rejections=((5, "a"), (5, "nobody we know")),
    )
    found = compare(known, PLAIN)
    rows = np.flatnonzero(found.rows == 5)
    assert len(rows) == 1
    assert not found.genuine[rows[0]]
    assert found.people[found.compared[rows[0]]] == "a"
    assert found.shown[rows[0]] >= len(found.people)


def test_no_person_counts_for_more_than_a_bounded_number_of_faces() -> None:
    found = compare(labelled(3 * MOST_FACES, 2), PLAIN)
    assert int(found.genuine.sum()) == MOST_FACES + 2


def test_people_beyond_the_bound_are_left_out() -> None:
    count = MOST_PEOPLE + 5
    vectors = np.random.default_rng(1).standard_normal((2 * count, DIMS)).astype(np.float32)
    faces = tuple(face(n) for n in range(2 * count))
    found = compare(
        LabelledFaces(faces, vectors, tuple(str(n // 2) for n in range(2 * count))), PLAIN
    )
    assert len(found.people) == MOST_PEOPLE


def test_no_labels_give_no_comparisons() -> None:
    found = compare(LabelledFaces((), np.empty((0, DIMS), dtype=np.float32), ()), PLAIN)
    assert len(found.scores) == 0


def test_labels_of_another_number_than_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="one label"):
        LabelledFaces((face(1),), np.ones((1, DIMS), dtype=np.float32), ())
