"""A change of models that was begun goes on by itself, and nothing runs where none was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from archive.migrating.ports import MigrationState, Wishes
from archive.migrating.switching import begin
from archive_assets.build import build_defs
from archive_assets.migrating import migrated_embeddings, migration_schedule
from resources.toolbox import Toolbox
from resources.vision.factory import EngineSpec
from tests.defs.conftest import family_world
from tests.fixtures.installation import Install, Installation

PACK = "scrfd_mobilefacenet"


@pytest.fixture
def grown(install: Install, shared_data: Path) -> Iterator[Installation]:
    """An installation with faces of dlib, which may use a pack."""
    settings = {
        "FACE_ARCHIVE_MIN_FACES": "1",
        "FACE_ARCHIVE_MODELS_DIR": str(shared_data / "models" / "insightface"),
        "FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS": "true",
    }
    with install(family_world(), **settings) as installation:
        installation.materialize(installation.set_up())
        yield installation


def asked(toolbox: Toolbox, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    with dg.build_schedule_context(instance=instance, resources={"toolbox": toolbox}) as context:
        answer = migration_schedule(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def run(toolbox: Toolbox, instance: dg.DagsterInstance) -> dict[str, object]:
    result = dg.materialize(
        [migrated_embeddings],
        instance=instance,
        resources={"toolbox": toolbox},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    assert result.success
    (made,) = result.asset_materializations_for_node("migrated_embeddings")
    return {name: value.value for name, value in made.metadata.items()}


def test_what_was_begun_goes_on_by_itself_until_the_other_model_is_in_use(
    grown: Installation, ephemeral: dg.DagsterInstance, shared_data: Path
) -> None:
    toolbox = grown.toolbox
    skipped = asked(toolbox, ephemeral)
    assert isinstance(skipped, dg.SkipReason)
    assert "not being changed" in str(skipped.skip_message)
    assert run(toolbox, ephemeral) == {"pictures_opened": 0}

    spec = EngineSpec(PACK, shared_data / "models" / "insightface", accept_noncommercial=True)
    begin(toolbox.migrations, spec.build().model, Wishes(redetect=True))
    assert isinstance(asked(toolbox, ephemeral), dg.RunRequest)
    with toolbox.migrations.alone():
        assert run(toolbox, ephemeral) == {"outcome": "elsewhere"}
    told = run(toolbox, ephemeral)

    assert (told["outcome"], told["from"], told["to"]) == ("switched", "dlib", PACK)
    assert told["embedded"] == 2
    assert told["verdict"] == "too few decisions to judge"
    assert told["pictures_opened"] == 2
    assert toolbox.engine_spec.model_name == PACK
    latest = toolbox.migrations.latest()
    assert latest is not None
    assert (latest.state, latest.opened_at is None) == (MigrationState.SWITCHED, False)
    assert isinstance(asked(toolbox, ephemeral), dg.SkipReason)


def test_its_schedule_is_on_and_its_job_holds_it_alone() -> None:
    definitions = build_defs()
    schedule = definitions.resolve_schedule_def(migration_schedule.name)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    layer = definitions.resolve_job_def("migration").asset_layer
    assert {key.to_user_string() for key in layer.executable_asset_keys} == {"migrated_embeddings"}
