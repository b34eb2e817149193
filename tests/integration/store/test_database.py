"""The pool and the migrations, on a real PostgreSQL."""

from __future__ import annotations

import traceback

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from archive.errors import Permanent, Transient
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate, status


def test_migrating_twice_does_nothing_the_second_time(database_url: str) -> None:
    assert migrate(database_url) == []


def test_status_says_that_every_migration_is_applied(database_url: str) -> None:
    assert all(migration.applied for migration in status(database_url))


def test_a_migration_changed_after_it_was_applied_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE schema_migrations SET digest = 'other' WHERE number = 1")
    with pytest.raises(Permanent, match="changed after it was applied"):
        migrate(database_url)


def test_a_database_newer_than_the_code_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 'future', 'x')")
    with pytest.raises(Permanent, match="install the newer version"):
        status(database_url)


def test_an_error_in_the_body_rolls_the_transaction_back(database: Database) -> None:
    def fail_half_way() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO accounts (account_id, name) VALUES (1, 'Mia')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (0,)


def test_a_broken_rule_of_the_schema_is_permanent(database: Database) -> None:
    with pytest.raises(Permanent, match="refused"), database.transaction() as connection:
        connection.execute("INSERT INTO accounts (account_id, name, state) VALUES (1, '', 'odd')")


def test_no_error_in_the_chain_quotes_the_row_that_was_refused(database: Database) -> None:
    row = {"name": "Mia", "state": "odd"}
    statement = "INSERT INTO accounts (account_id, name, state) VALUES (1, %(name)s, %(state)s)"
    with pytest.raises(Permanent) as caught, database.transaction() as connection:
        connection.execute(statement, row)
    shown = "".join(traceback.format_exception(caught.value))
    assert row["name"] not in shown
    assert "violates check constraint" in shown


def test_a_server_that_is_not_there_is_transient(postgres: EmbeddedPostgres) -> None:
    url = make_conninfo(postgres.archive_url, dbname="no_such_database")
    with pytest.raises(Transient, match="did not answer"):
        migrate(url)


def test_a_connection_cut_in_the_middle_is_transient_and_the_next_one_works(
    database: Database,
) -> None:
    with pytest.raises(Transient), database.transaction() as connection:
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with database.transaction() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_unnormalised_vector_cannot_be_stored(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds) "
            "VALUES ('m', 'dlib', 'CC0', true, 2, '{}')"
        )
    with pytest.raises(Permanent, match="embeddings"), database.transaction() as connection:
        connection.execute(
            "INSERT INTO embeddings (face_id, model, dims, embedding) "
            "VALUES (gen_random_uuid(), 'm', 2, '[3,4]')"
        )
