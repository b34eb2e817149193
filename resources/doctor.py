"""Whether this machine and this installation can work: one check a question, each with a way out.

Looks and reports; repairs nothing. How a report is shown, and whether it stops anything, is up to
whoever asks. What Telegram has to be asked for is `doctor_online`.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import psycopg

from archive.errors import ArchiveError, Permanent, Transient
from resources.databases import databases
from resources.settings import DEFAULT_ENV_FILE, Settings
from resources.store.migrate import status
from resources.telegram.sessions import Lane, session_files
from resources.toolbox import chosen_engine
from resources.vision.models import KnownModel, look_up, require_licence, require_usable
from resources.vision.packs import find_folder

OLDEST_PYTHON: Final = (3, 11)
# Iterative index scans, without which a filtered search loses rows.
OLDEST_PGVECTOR: Final = (0, 8)

_PGVECTOR = """
SELECT coalesce(
    (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
    (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'))
"""


class CheckState(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """Works, but not as a person may expect."""

    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer to one question.

    Attributes:
        name: What was looked at.
        state: How it is.
        finding: What was found, in a sentence.
        way_out: What to do; empty only where nothing is to be done.
    """

    name: str
    state: CheckState
    finding: str
    way_out: str = ""


def ok(name: str, finding: str) -> CheckResult:
    """Report that all is well."""
    return CheckResult(name, CheckState.OK, finding)


def warn(name: str, finding: str, way_out: str) -> CheckResult:
    """Report what works, but not as a person may expect."""
    return CheckResult(name, CheckState.WARN, finding, way_out)


def fail(name: str, finding: str, way_out: str) -> CheckResult:
    """Report what does not work."""
    return CheckResult(name, CheckState.FAIL, finding, way_out)


def local_checks(
    settings: Settings, env_file: Path | None = DEFAULT_ENV_FILE
) -> Iterator[CheckResult]:
    """Look at everything that needs neither network nor store, cheapest first.

    Args:
        settings: Of the installation.
        env_file: Where its secrets may lie.
    """
    yield check_python()
    yield check_env_file(env_file)
    yield check_data_folder(settings)
    yield check_free_disk(settings)
    yield check_database(settings)
    yield check_application(settings)
    yield check_sessions(settings)


def check_python(version: tuple[int, ...] = sys.version_info[:2]) -> CheckResult:
    """Compare the interpreter with the oldest that we are written for."""
    if version < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        return fail(
            "python",
            f"This is Python {'.'.join(map(str, version))}.",
            f"Install Python {wanted} or newer and run `make setup PYTHON=python{wanted}`.",
        )
    return ok("python", f"Python {platform.python_version()}.")


def check_env_file(env_file: Path | None) -> CheckResult:
    """Look whether others may read the file that holds secrets."""
    name = "settings"
    if env_file is None or not env_file.exists():
        return ok(name, "Read from the environment; there is no .env.")
    if env_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return warn(
            name,
            f"{env_file} may be read by other users of this machine.",
            f"Run `chmod 600 {env_file}`.",
        )
    return ok(name, f"{env_file} and the environment; only you can read the file.")


def check_data_folder(settings: Settings) -> CheckResult:
    """Look whether the data folder is ours to write to."""
    name, folder = "data folder", settings.data_dir
    place = _existing(folder)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return fail(
            name,
            f"{place} cannot be written to.",
            "Make it writable for this user, or set FACE_ARCHIVE_DATA_DIR to another folder.",
        )
    return ok(name, f"{folder}")


def check_free_disk(settings: Settings) -> CheckResult:
    """Compare the free disk with the limit below which media work stops.

    Crops and originals may lie on a disk of their own; what lies behind a URL is not asked.
    """
    places = [("FACE_ARCHIVE_DATA_DIR", settings.data_dir)]
    blobs = settings.blob_url or ""
    if blobs and ("://" not in blobs or blobs.startswith("file://")):
        places.append(("FACE_ARCHIVE_BLOB_URL", Path(blobs.removeprefix("file://")).absolute()))
    free = {name: shutil.disk_usage(_existing(place)).free / 1e9 for name, place in places}
    name = min(free, key=lambda each: free[each])
    finding = f"{free[name]:.1f} GB free where {name} lies."
    if free[name] < settings.min_free_disk_gb:
        return fail(
            "free disk",
            f"Only {finding}",
            f"Free {settings.min_free_disk_gb:g} GB, set {name} to a larger disk, "
            "or lower FACE_ARCHIVE_MIN_FREE_DISK_GB.",
        )
    return ok("free disk", finding)


def require_free_disk(settings: Settings) -> None:
    """Refuse work that fills the disk before it is full.

    Raises:
        Permanent: Less is free than the setting asks for; the message says the way out.
    """
    result = check_free_disk(settings)
    if result.state is CheckState.FAIL:
        raise Permanent(f"{result.finding} {result.way_out}")


def check_database(settings: Settings) -> CheckResult:
    """Look whether the database answers, has pgvector, and has every migration."""
    name = "database"
    try:
        with databases(settings) as urls:
            missing = [each for each in status(urls.archive) if not each.applied]
            pgvector = _pgvector_version(urls.archive)
    except ArchiveError as exc:
        return fail(
            name,
            str(exc),
            "Start the server that FACE_ARCHIVE_DATABASE_URL names, or leave it empty for the "
            "embedded one.",
        )
    if pgvector is None or _numbers(pgvector) < OLDEST_PGVECTOR:
        return fail(
            name,
            f"pgvector is {pgvector or 'not installed'} there.",
            f"Install pgvector {'.'.join(map(str, OLDEST_PGVECTOR))} or newer on that server.",
        )
    if missing:
        return fail(name, f"It lacks {len(missing)} migrations.", "Run `face-archive db migrate`.")
    return ok(name, f"Answers and is up to date, pgvector {pgvector}.")


def check_model(settings: Settings, in_use: str | None = None) -> CheckResult:
    """Look whether the model to work with may be used, is there, and loads.

    Args:
        settings: Which one it is where none is in use.
        in_use: What the archive says.
    """
    spec = chosen_engine(settings, in_use)
    known = look_up(spec.model_name)
    command = "migrate" if in_use else "use"
    choose = f"Go to another with `face-archive models {command}`; `models list` shows them."
    try:
        require_usable(known)
        require_licence(known, accept_noncommercial=spec.accept_noncommercial)
        if known.kind == "insightface" and find_folder(known.name, settings.models_dir) is None:
            return _without_pack(known, settings.models_dir)
        model = spec.build().model
    except ArchiveError as exc:
        return fail("model", str(exc), choose)
    return ok("model", f"{model.name} loads ({model.licence}; {model.dims} numbers a face).")


def check_application(settings: Settings) -> CheckResult:
    """Look whether the key of the owner's Telegram application is set."""
    if settings.tg_api_id is None or settings.tg_api_hash is None:
        return fail(
            "application",
            "TG_API_ID or TG_API_HASH is not set.",
            "Get both at my.telegram.org and run `face-archive init`.",
        )
    return ok("application", f"TG_API_ID {settings.tg_api_id} and its hash are set.")


def check_sessions(settings: Settings) -> CheckResult:
    """Look whether an account is logged in for every kind of work, in files that can be used."""
    files = session_files(settings)
    accounts = files.accounts()
    if not accounts:
        return fail("session", "No account is logged in.", "Run `face-archive login`.")
    for account_id in accounts:
        try:
            missing = [str(lane) for lane in Lane if files.find(account_id, lane) is None]
        except Permanent as exc:
            return fail("session", str(exc), "Do what the message says.")
        if missing:
            return fail(
                "session",
                f"Account {account_id} has no session for {', '.join(missing)}.",
                "Run `face-archive login`: what still works is kept.",
            )
    return ok("session", f"{len(accounts)} account(s) logged in.")


def _without_pack(known: KnownModel, models_dir: Path) -> CheckResult:
    folder = models_dir / "models" / known.name
    finding = f"There is no pack `{known.name}` in {folder}."
    if known.fetched_by_insightface:
        return warn("model", finding, f"It is fetched at its first use; or {known.how_to_get}.")
    return fail("model", finding, f"Way out: {known.how_to_get}, or choose another model.")


def _pgvector_version(url: str) -> str | None:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute(_PGVECTOR).fetchone()
    except psycopg.Error as exc:
        raise Transient(f"the database did not answer: {exc}") from exc
    return str(row[0]) if row and row[0] else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _existing(folder: Path) -> Path:
    """Return the folder, or the first above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())
