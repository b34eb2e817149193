"""Asset checks are red when the rule that they stand for is broken, and green when it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import dagster as dg
import pytest

from archive.chats import allow, deny
from archive.publishing import HubState
from archive.records import Switches
from archive_assets.build import build_defs
from archive_assets.media import extracted_faces_key, face_embeddings_key
from sensors.runs import CHAT_WINDOW
from tests.fixtures.installation import Installation

LEDGER = dg.AssetCheckKey(extracted_faces_key, "every_medium_has_ledger_rows")
VECTORS = dg.AssetCheckKey(face_embeddings_key, "embeddings_have_unit_norm_and_right_dims")
SEEN = dg.AssetCheckKey(face_embeddings_key, "the_model_in_use_has_seen_every_face")
PUBLISHED = dg.AssetCheckKey(
    dg.AssetKey("published_topics"), "nothing_is_published_without_a_switch"
)
PEOPLE = dg.AssetCheckKey(dg.AssetKey("identity_clusters"), "people_are_what_their_log_comes_to")

_WITHOUT_ROWS = "DELETE FROM media_products WHERE product = 'embeddings' RETURNING media_id"
_BY_ANOTHER = """
INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)
SELECT 'another', kind, licence, commercial_use, dims, thresholds FROM models;
UPDATE embeddings SET model = 'another'
"""
_BY_THE_ONE_IN_USE = """
UPDATE embeddings SET model = (SELECT name FROM models WHERE name <> 'another');
DELETE FROM models WHERE name = 'another'
"""
_ROWS_AGAIN = """
INSERT INTO media_products (media_id, product, state, producer)
SELECT media_id, 'embeddings', 'done', 'a test' FROM media
"""


HUBS = dg.AssetCheckKey(dg.AssetKey("published_topics"), "every_hub_can_be_written_to")


def rows_found(installation: Installation, check: dg.AssetCheckKey) -> int:
    """Evaluate one check for the newest window; gives the rows it complains of."""
    evaluation = evaluated(installation, check)
    found = evaluation.metadata["rows"].value
    assert isinstance(found, int)
    assert evaluation.passed == (found == 0)
    return found


def evaluated(installation: Installation, check: dg.AssetCheckKey) -> dg.AssetCheckEvaluation:
    definitions = build_defs(resource_overrides={"toolbox": installation.toolbox})
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection={check}
    )
    (chat,) = installation.toolbox.chats.allowed()
    key = installation.toolbox.chats.windows(chat.chat_no)[0].window.key
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(CHAT_WINDOW, [key])
        result = job.execute_in_process(
            {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=instance,
            partition_key=None if check in {PUBLISHED, PEOPLE, HUBS} else key,
        )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


@contextmanager
def changed(installation: Installation, do: LiteralString, undo: LiteralString) -> Iterator[None]:
    """Change rows for the length of the body."""
    database = installation.toolbox.database
    with database.transaction() as connection:
        connection.execute(do)
    yield
    with database.transaction() as connection:
        connection.execute(undo)


@pytest.mark.parametrize(
    "check", [LEDGER, VECTORS, SEEN, PUBLISHED, PEOPLE], ids=lambda check: str(check.name)
)
def test_checks_pass_on_what_a_whole_run_leaves(
    gone_through: Installation, check: dg.AssetCheckKey
) -> None:
    assert rows_found(gone_through, check) == 0


def test_a_medium_without_a_ledger_row_is_found(gone_through: Installation) -> None:
    with changed(gone_through, _WITHOUT_ROWS, _ROWS_AGAIN):
        assert rows_found(gone_through, LEDGER) == 1
    assert rows_found(gone_through, LEDGER) == 0


def test_vectors_of_another_length_than_their_models_are_found(gone_through: Installation) -> None:
    with changed(
        gone_through, "UPDATE models SET dims = dims + 1", "UPDATE models SET dims = dims - 1"
    ):
        assert rows_found(gone_through, VECTORS) == 1
    assert rows_found(gone_through, VECTORS) == 0


def test_faces_that_only_another_model_has_seen_are_found(gone_through: Installation) -> None:
    with changed(gone_through, _BY_ANOTHER, _BY_THE_ONE_IN_USE):
        assert rows_found(gone_through, SEEN) == 1
    assert rows_found(gone_through, SEEN) == 0


def test_posts_that_no_chat_allows_any_more_are_found(gone_through: Installation) -> None:
    chats = gone_through.toolbox.chats
    (chat,) = chats.allowed()
    deny(chat, Switches(publish=True), chats)
    try:
        assert rows_found(gone_through, PUBLISHED) == 2
    finally:
        allow(chat, Switches(publish=True), chats)
    assert rows_found(gone_through, PUBLISHED) == 0


def test_people_who_are_not_what_their_log_says_are_found(gone_through: Installation) -> None:
    with changed(
        gone_through,
        "UPDATE identities SET label = 'Eve' WHERE number = 1",
        "UPDATE identities SET label = NULL WHERE number = 1",
    ):
        assert rows_found(gone_through, PEOPLE) == 1
    assert rows_found(gone_through, PEOPLE) == 0


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        (HubState.BLOCKED, dg.AssetCheckSeverity.ERROR),
        (HubState.FULL, dg.AssetCheckSeverity.WARN),
    ],
)
def test_a_hub_that_takes_nothing_more_is_red_until_it_does(
    gone_through: Installation, state: HubState, severity: dg.AssetCheckSeverity
) -> None:
    (hub,) = gone_through.toolbox.hubs()
    assert evaluated(gone_through, HUBS).passed
    gone_through.toolbox.topics.set_state(hub.hub_no, state, "a reason")
    found = evaluated(gone_through, HUBS)
    gone_through.toolbox.topics.set_state(hub.hub_no, HubState.READY)
    assert not found.passed
    assert found.severity is severity
    assert evaluated(gone_through, HUBS).passed
