"""What a change of models will take: measured on a few crops, with nothing stored."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from archive.migrating.plan import MigrationPlan, Pace, measure_pace
from archive.migrating.ports import Counts
from tests.unit.migrating.memory import BEFORE, Memory, Scripted, Shelves, face
from tests.unit.test_identify import MODEL


def measured(faces: int, lost: frozenset[int] = frozenset()) -> Pace | None:
    store = Memory({face(n).face_id: face(n) for n in range(faces)})
    ticks = count(0.0, 8.0)
    pace = asyncio.run(
        measure_pace(store, MODEL.name, None, Scripted(), Shelves(lost), clock=lambda: next(ticks))
    )
    assert (store.vectors, store.refused) == ({}, {})
    return pace


def shown(faces: int, pace: Pace | None) -> dict[str, object]:
    return MigrationPlan(BEFORE, MODEL.name, Counts(faces, 0), pace).shown()


def test_the_time_is_that_of_some_crops_for_all_faces() -> None:
    pace = measured(100)

    assert pace == Pace(seconds_a_face=0.5, bytes_a_crop=24 / 17, tried=17)
    assert shown(120, pace)["minutes"] == 1.0
    assert "refused_of_those_tried" not in shown(120, pace)


def test_where_no_face_is_left_nothing_is_tried() -> None:
    assert measured(0) is None
    assert shown(0, None)["minutes"] == 0.0


@pytest.mark.parametrize(("faces", "tried"), [(1, 1), (2, 2), (40, 17)])
def test_crops_that_are_not_there_are_told_before_it_begins(faces: int, tried: int) -> None:
    pace = measured(faces, lost=frozenset(range(faces)))

    assert shown(faces, pace)["refused_of_those_tried"] == f"{tried} of {tried}"
