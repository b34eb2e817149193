"""The index that search uses: one HNSW graph a model, over half-precision vectors.

Made by code, because its expression names the dims and its condition the model, both known only
once a model has vectors. It is made by whoever decides about people, when a model has come to
`LEAST_INDEXED` vectors and has none: an archive below that is compared exactly, in about the same
time, and pays nothing for an index; above it each new vector enters the graph as it is stored. So
there is nothing to refresh, and an archive that grew before there was an index, or whose index
was left unfinished, gets one at the next run. What is asked of it is `search`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from psycopg import Connection, sql

from resources.store.database import Database

LEAST_INDEXED: Final = 10_000
"""Vectors of a model from which it gets an index; fewer are compared in some 100 ms."""

MOST_DIMS: Final = 4_000
"""Longest vector that pgvector indexes as halfvec; longer ones are always compared exactly."""

# Both are pgvector's own but the second, 64: people are dense clumps in a nearly empty space, and
# a graph with longer lists of candidates while it is built finds its way between them. See
# `identity.search` in benchmarks/.
_LINKS: Final = 16
_CANDIDATES: Final = 128

# A graph that fits is built many times faster. It is a limit, not a reservation: a million
# vectors of 512 numbers take about 2 GB.
_MEMORY: Final = "4GB"

# One worker: leaves the other cores to pictures, needs no shared memory (containers have 64 MB),
# and parallel builds could write beyond their memory before pgvector 0.8.2 (CVE-2026-3172).
_SETTINGS: Final = """
SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),
       set_config('maintenance_work_mem', %s, false),
       set_config('max_parallel_maintenance_workers', '0', false)
"""
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('named:search index', 0))"

_DIMS: Final = "SELECT dims FROM models WHERE name = %s"
_HAS_ENOUGH: Final = """
SELECT count(*) >= %(least)s
FROM (SELECT FROM embeddings WHERE model = %(model)s LIMIT %(least)s) AS first_ones
"""
_IS_VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"

# Without keeping writers out: it takes minutes for a million.
_MAKE: Final = sql.SQL("""
CREATE INDEX CONCURRENTLY {name} ON embeddings
USING hnsw ((embedding::halfvec({dims})) halfvec_ip_ops)
WITH (m = {links}, ef_construction = {candidates})
WHERE model = {model}
""")
_DROP: Final = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {name}")


def index_name(model: str) -> str:
    """Name a model's index; a model's name may hold anything, its digest cannot."""
    return f"embeddings_search_{sha256(model.encode()).hexdigest()[:12]}"


def is_indexed(connection: Connection, model: str) -> bool:
    """Tell whether a model has an index that can be asked."""
    row = connection.execute(_IS_VALID, (index_name(model),)).fetchone()
    return bool(row and row[0])


def make_missing_index(database: Database, model: str, *, least: int = LEAST_INDEXED) -> bool:
    """Give a model its index, where it has enough vectors and none; takes minutes for a million.

    Args:
        database: The archive.
        model: Whose vectors.
        least: How many are enough.

    Returns:
        Whether one was made; not while another process is making one.

    Raises:
        Transient: The database does not answer; what is half made is made anew the next time.
    """
    # A session of its own: what is made concurrently is made outside of a transaction.
    with database.session() as connection:
        dims = _missing(connection, model, least)
        if dims is None or not _one(connection, _TRY_LOCK):
            return False
        connection.execute(_SETTINGS, (_MEMORY,))
        name = sql.Identifier(index_name(model))
        connection.execute(_DROP.format(name=name))
        connection.execute(
            _MAKE.format(
                name=name,
                dims=sql.Literal(dims),
                links=sql.Literal(_LINKS),
                candidates=sql.Literal(_CANDIDATES),
                model=sql.Literal(model),
            )
        )
        return True


def drop_index(database: Database, model: str) -> None:
    """Remove a model's index, before its vectors go: clearing a graph of them takes for ever.

    Raises:
        Transient: The database does not answer, or somebody reads vectors for minutes.
    """
    with database.session() as connection:
        connection.execute(_DROP.format(name=sql.Identifier(index_name(model))))


def _missing(connection: Connection, model: str, least: int) -> int | None:
    """Return the dims of a model that lacks its index; ``None`` where nothing is to be done."""
    row = connection.execute(_DIMS, (model,)).fetchone()
    if row is None or row[0] > MOST_DIMS or is_indexed(connection, model):
        return None
    enough = connection.execute(_HAS_ENOUGH, {"model": model, "least": least}).fetchone()
    return int(row[0]) if enough and enough[0] else None


def _one(connection: Connection, statement: str) -> object:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None
