"""The check of the threshold: green or red by the labels, with the curve in its metadata."""

from __future__ import annotations

import dagster as dg
import pytest

from archive_assets.build import build_defs
from resources.settings import Settings
from resources.store.database import Database
from resources.toolbox import Toolbox
from sensors.runs import CALIBRATION_CHECK, PEOPLE_JOB
from tests.integration.store.test_asking import House
from tests.unit.test_identify import MODEL

KEY = dg.AssetCheckKey(dg.AssetKey("identity_clusters"), CALIBRATION_CHECK)


def evaluated(database: Database, **settings: object) -> dg.AssetCheckEvaluation:
    toolbox = Toolbox(Settings.model_validate({"model": MODEL.name, **settings}), database)
    job = build_defs(
        resource_overrides={"toolbox": toolbox}
    ).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.get_subset(
            asset_selection=set(), asset_check_selection={KEY}
        ).execute_in_process(
            {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}, instance=instance
        )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


@pytest.fixture
def named(database: Database) -> Database:
    """Twenty people with eleven photos each, all named: enough for one in a thousand."""
    house = House(database)
    house.named_people(20, faces=11)
    return database


def test_too_few_labels_are_no_failure_and_say_what_is_missing(database: Database) -> None:
    House(database)
    found = evaluated(database)
    assert found.passed
    assert "too few labels" in str(found.description)


def test_a_threshold_that_lets_strangers_pass_is_a_warning_with_the_curve(named: Database) -> None:
    kept = evaluated(named)
    assert kept.passed
    assert kept.metadata["people"].value == 20
    assert str(kept.metadata["roc"].value).startswith("![ROC](data:image/png;base64,")
    # What clear faces need beyond the threshold would save them.
    with named.transaction() as connection:
        connection.execute("UPDATE faces SET quality = 0.4")
    low = evaluated(named, similarity_threshold=0.05)
    assert not low.passed
    assert low.severity == dg.AssetCheckSeverity.WARN


def test_it_is_no_part_of_the_run_that_finds_people() -> None:
    selected = build_defs().resolve_job_def(PEOPLE_JOB).asset_layer.asset_graph.asset_check_keys
    assert selected
    assert KEY not in selected
