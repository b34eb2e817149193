"""A threshold of one's own on a real PostgreSQL: in force until replaced or reset, and kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archive.calibrating import LocalThreshold
from archive.errors import Permanent
from resources.settings import Settings
from resources.store.database import Database
from resources.store.thresholds import ThresholdStore
from resources.toolbox import Toolbox
from tests.unit.test_identify import MODEL

THRESHOLD = LocalThreshold(
    model=MODEL.name,
    accept=0.41237,
    wanted_far=0.001,
    source="archive",
    people=12,
    genuine=240,
    impostors=2640,
    tar=0.97,
    far=0.0004,
    decided_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
)


@pytest.fixture
def thresholds(database: Database) -> ThresholdStore:
    return ThresholdStore(database)


def test_what_is_applied_is_in_force_with_where_it_comes_from(thresholds: ThresholdStore) -> None:
    assert thresholds.in_force(MODEL.name) is None
    thresholds.apply(MODEL, THRESHOLD)
    assert thresholds.in_force(MODEL.name) == THRESHOLD
    assert thresholds.in_force("another-model") is None


def test_the_latest_is_in_force_and_the_others_stay_on_record(
    thresholds: ThresholdStore, database: Database
) -> None:
    later = replace(THRESHOLD, accept=0.5, source="a folder")
    for each in (THRESHOLD, later):
        thresholds.apply(MODEL, each)
    assert thresholds.in_force(MODEL.name) == later
    assert thresholds.reset(MODEL.name)
    assert thresholds.in_force(MODEL.name) is None
    assert not thresholds.reset(MODEL.name)
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT accept, replaced_at IS NOT NULL FROM model_thresholds ORDER BY threshold_id"
        ).fetchall()
    assert rows == [(THRESHOLD.accept, True), (0.5, True)]


def test_a_threshold_is_about_the_files_that_made_the_vectors(thresholds: ThresholdStore) -> None:
    thresholds.apply(MODEL, THRESHOLD)
    with pytest.raises(Permanent, match="files"):
        thresholds.apply(replace(MODEL, sha256="f" * 64), replace(THRESHOLD, accept=0.6))
    assert thresholds.in_force(MODEL.name) == THRESHOLD


def test_people_are_decided_by_it_unless_a_setting_says_otherwise(
    thresholds: ThresholdStore, database: Database
) -> None:
    thresholds.apply(MODEL, THRESHOLD)
    chosen = Settings(model=MODEL.name)
    assert Toolbox(chosen, database).identify_options.accept == THRESHOLD.accept
    own = chosen.model_copy(update={"similarity_threshold": 0.6})
    assert Toolbox(own, database).identify_options.accept == 0.6
    assert Toolbox(Settings(model="another-model"), database).identify_options.accept is None
