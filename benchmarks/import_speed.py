"""`import.speed`: a Telegram Desktop export of many messages, into PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.claims import PAIRS, Measurement, claim
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate

_MESSAGES = 1_000_000
_QUICK_MESSAGES = 60_000
_TEMPLATE = "template_import"


@dataclass(frozen=True, slots=True)
class _Run:
    """One import in a process of its own."""

    rate: float
    peak_mb: float


@claim(
    "import.speed",
    title="a Desktop export without media into PostgreSQL",
    unit="messages/s",
    bar=20_000,
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure a whole import: read, converted, everything committed, windows planned."""
    runs, peers = _pairs(quick)
    return Measurement(tuple(run.rate for run in runs), (), _detail(quick, runs, peers))


@claim(
    "import.speed.peer",
    title="the same, against the whole file in memory and a COPY of its raw messages",
    unit="messages/s",
    bar=0.25,
)
def measure_peer(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare with the least that any import does: `json.load`, then COPY, no rules at all."""
    runs, peers = _pairs(quick)
    return Measurement(
        tuple(run.rate for run in runs),
        tuple(run.rate for run in peers),
        _detail(quick, runs, peers),
    )


@claim(
    "import.memory",
    title="the most memory that an import of a million messages takes",
    unit="MB",
    bar=300,
    absolute=True,
    better="lower",
)
def measure_memory(quick: bool) -> Measurement:  # noqa: FBT001
    """Take the peak of the same runs: the whole process, libraries included."""
    runs, peers = _pairs(quick)
    return Measurement(tuple(run.peak_mb for run in runs), (), _detail(quick, runs, peers))


def _detail(quick: bool, runs: list[_Run], peers: list[_Run]) -> str:  # noqa: FBT001
    most, theirs = max(run.peak_mb for run in runs), max(run.peak_mb for run in peers)
    return (
        f"a made supergroup of {_QUICK_MESSAGES if quick else _MESSAGES} messages of a dozen "
        f"words; a process of its own and an empty database each time; at most {most:.0f} MB, "
        f"the peer {theirs:.0f} MB"
    )


@cache
def _pairs(quick: bool) -> tuple[list[_Run], list[_Run]]:  # noqa: FBT001
    """Import both ways, each pair in the other order; once for all claims."""
    runs: dict[str, list[_Run]] = {"ours": [], "peer": []}
    with tempfile.TemporaryDirectory(prefix="import-speed-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "export").mkdir()
        count = _QUICK_MESSAGES if quick else _MESSAGES
        write_export(folder / "export" / "result.json", count)
        with _server(folder / "postgres") as server:
            for number in range(PAIRS):
                for way in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
                    runs[way].append(_run(way, folder / "export", server, count))
    return runs["ours"], runs["peer"]


def write_export(path: Path, count: int) -> None:
    """Write an export of one chat without media."""
    sentence = "who has more of these from the lake last summer please send them"
    words = sentence.split()
    with path.open("w", encoding="utf-8") as file:
        file.write('{"name": "Club", "type": "private_supergroup", "id": 1555, "messages": [\n')
        for number in range(1, count + 1):
            turn = number % len(words)
            text = " ".join(words[turn:] + words[:turn])
            message = {
                "id": number,
                "type": "message",
                "date": "2023-11-14T23:13:20",
                "date_unixtime": str(1_600_000_000 + 60 * number),
                "from": f"Member {number % 50}",
                "from_id": f"user{1000 + number % 50}",
                "text": text,
                "text_entities": [{"type": "plain", "text": text}],
            }
            file.write((",\n" if number > 1 else "") + json.dumps(message, indent=1))
        file.write("\n]}")


@contextmanager
def _server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder)
    try:
        _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        migrate(make_conninfo(server.archive_url, dbname=_TEMPLATE))
        yield server
    finally:
        server.stop()


def _run(way: str, export: Path, server: EmbeddedPostgres, count: int) -> _Run:
    name = sql.Identifier("import_run")
    template = sql.Identifier(_TEMPLATE)
    _execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
    url = make_conninfo(server.archive_url, dbname="import_run")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.import_run.one", way, str(export), url],
            check=True,
            capture_output=True,
            text=True,
        )
    finally:
        _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
    said = json.loads(done.stdout)
    assert said["messages"] == count, "every message arrived"
    return _Run(count / said["seconds"], said["peak_mb"])


def _execute(server: EmbeddedPostgres, statement: sql.Composed) -> None:
    with psycopg.connect(server.archive_url, autocommit=True) as connection:
        connection.execute(statement)
