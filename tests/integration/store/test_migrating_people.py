"""An archive whose log was no more than a diary gets one that its people can be rebuilt from."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from archive.identity.events import EventKind
from archive.ids import FaceId, IdentityId
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate
from tests.fixtures.releases import release_before

BEFORE = 9
ANNA, BEN = (IdentityId(UUID(int=number)) for number in (1, 2))
FACES = [FaceId(UUID(int=number)) for number in range(11, 16)]

OLD = """
INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)
VALUES ('m', 'dlib', 'none', true, 4, '{}');
INSERT INTO blobs (content_key, size_bytes) VALUES ('tgdoc:1:1', 1);
INSERT INTO faces (face_id, content_key, x1, y1, x2, y2, landmarks, landmark_schema,
                   detection_score, quality, model, crop_key)
SELECT ('00000000-0000-0000-0000-0000000000' || lpad(to_hex(i), 2, '0'))::uuid, 'tgdoc:1:1',
       i, 0, i + 1, 1, '{}', 'none', 1, 1, 'm', 'crop'
FROM generate_series(11, 14) AS i;
INSERT INTO identities (identity_id, number, model)
VALUES ('00000000-0000-0000-0000-000000000001', 1, 'm'),
       ('00000000-0000-0000-0000-000000000002', 2, 'm');
INSERT INTO event_payloads (payload_id, payload)
VALUES ('00000000-0000-0000-0000-000000000021', '{"number": 1, "model": "m"}'),
       ('00000000-0000-0000-0000-000000000022', '{"number": 2, "model": "m"}');
"""
RUN_1 = """
INSERT INTO identity_events (kind, identity_id, face_id, similarity, actor, cause, payload_id)
VALUES ('found', '00000000-0000-0000-0000-000000000001', NULL, NULL, 'matcher', 'run 1',
        '00000000-0000-0000-0000-000000000021'),
       ('found', '00000000-0000-0000-0000-000000000002', NULL, NULL, 'matcher', 'run 1',
        '00000000-0000-0000-0000-000000000022'),
       ('assigned', '00000000-0000-0000-0000-000000000001',
        '00000000-0000-0000-0000-00000000000b', 0.9, 'matcher', 'run 1', NULL),
       ('assigned', '00000000-0000-0000-0000-000000000001',
        '00000000-0000-0000-0000-00000000000c', 0.8, 'matcher', 'run 1', NULL),
       ('assigned', '00000000-0000-0000-0000-000000000002',
        '00000000-0000-0000-0000-00000000000d', 0.7, 'matcher', 'run 1', NULL),
       ('assigned', '00000000-0000-0000-0000-000000000002',
        '00000000-0000-0000-0000-00000000000f', 0.6, 'matcher', 'run 1', NULL);
INSERT INTO assignments (face_id, identity_id, similarity, decided_by)
SELECT face_id, identity_id, similarity, 'matcher' FROM identity_events
WHERE kind = 'assigned' AND face_id <> '00000000-0000-0000-0000-00000000000f';
"""
RUN_2 = """
INSERT INTO identity_events (kind, identity_id, face_id, similarity, actor, cause)
VALUES ('assigned', '00000000-0000-0000-0000-000000000001',
        '00000000-0000-0000-0000-00000000000e', 0.5, 'matcher', NULL);
INSERT INTO assignments (face_id, identity_id, similarity, decided_by)
VALUES ('00000000-0000-0000-0000-00000000000e', '00000000-0000-0000-0000-000000000001', 0.5,
        'matcher');
"""
# The fifth face is gone, with its assignment.
ERASURE = """
INSERT INTO identity_events (kind, identity_id, face_id, actor, cause)
VALUES ('unassigned', '00000000-0000-0000-0000-000000000002',
        '00000000-0000-0000-0000-00000000000f', 'deletion', 'its source was deleted');
"""


@pytest.fixture
def old(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an archive of the release before, with two people in it."""
    with release_before(postgres, BEFORE, OLD, RUN_1, RUN_2, ERASURE) as url:
        yield url


def test_people_of_the_release_before_are_what_their_log_comes_to(old: str) -> None:
    migrate(old)
    with Database(old) as database:
        store = CorrectionStore(database)
        assert store.check().total == 0
        with database.transaction() as connection:
            before = connection.execute("SELECT * FROM assignments ORDER BY face_id").fetchall()
            connection.execute("DELETE FROM assignments")
            connection.execute("DELETE FROM identities")
        assert store.rebuild().faces == 4
        with database.transaction() as connection:
            after = connection.execute("SELECT * FROM assignments ORDER BY face_id").fetchall()
        assert [row[:4] for row in after] == [row[:4] for row in before]


def test_what_one_run_decided_of_one_person_is_one_decision(old: str) -> None:
    migrate(old)
    with Database(old) as database:
        history = CorrectionStore(database).history()
    told = [
        (logged.decision.kind, logged.decision.begun, len(logged.decision.writes))
        for logged in history
    ]
    assert told == [
        (EventKind.ERASED, None, 1),
        (EventKind.ASSIGNED, None, 1),
        (EventKind.ASSIGNED, BEN, 3),
        (EventKind.ASSIGNED, ANNA, 3),
    ]
    (erased,) = history[0].decision.writes
    assert (erased.cell.face_id, erased.value, erased.left) == (FACES[4], None, BEN)
    assert history[1].decision.cause == ""


def test_what_was_migrated_cannot_be_rewritten_either(old: str) -> None:
    migrate(old)
    with (
        psycopg.connect(old, autocommit=True) as connection,
        pytest.raises(psycopg.Error, match="append-only"),
    ):
        connection.execute("UPDATE identity_events SET decision_id = gen_random_uuid()")
