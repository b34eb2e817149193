"""`face-archive up`: everything that runs all the time, under one supervisor.

Embedded PostgreSQL, code server, webserver, daemon, listener – in this order, after `doctor`
found nothing fatal. How children are kept alive is `cli.supervisor`'s business.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import fasteners
import psutil
import typer

from archive.errors import Permanent
from cli.doctor import report_checks, run_checks
from cli.output import say
from cli.supervisor import Child, Supervisor
from resources.dagster_home import child_environment, prepare_dagster_home
from resources.databases import DatabaseUrls, databases
from resources.settings import Settings
from resources.store.migrate import migrate

_HOST = "127.0.0.1"
_CODE_SERVER_SOCKET = "code-server.sock"
# As in workspace.yaml.
_LOCATION = "face-archive"
_SOCKET_NAME_BYTES = 100


def up_command() -> None:
    """Start database, Dagster and listener; Ctrl-C (or SIGTERM) stops them all.

    The Dagster UI is served on 127.0.0.1 only: it has no log-in of its own.
    """
    settings = Settings.load()
    run_folder = settings.data_dir / "run"
    run_folder.mkdir(parents=True, exist_ok=True)
    with only_one(run_folder), databases(settings, owner=True) as urls:
        migrate(urls.archive)
        keep_up(settings, urls)


def keep_up(settings: Settings, urls: DatabaseUrls) -> None:
    """Check, start and supervise until told to stop; the databases are there already."""
    run_folder = settings.data_dir / "run"
    prepare_dagster_home(settings.data_dir)
    environment = child_environment(settings.data_dir, urls)
    report_checks(run_checks(Settings.load(environ=environment)))
    subprocess.run([sys.executable, "-m", "archive_assets.boot"], env=environment, check=True)
    supervisor = Supervisor(
        children(settings, environment, run_folder),
        settings.data_dir / "logs",
        on_change=lambda pids: _publish(run_folder, pids),
    )
    say(f"Dagster UI: http://{_HOST}:{settings.webserver_port} – logs: {supervisor.log_folder}")
    try:
        asyncio.run(_until_told(supervisor))
    finally:
        (run_folder / "up.json").unlink(missing_ok=True)


def children(settings: Settings, environment: Mapping[str, str], run_folder: Path) -> list[Child]:
    """List what `up` keeps alive, in the order of start.

    Args:
        settings: Names the webserver's port.
        environment: Of every child, databases and Dagster's home included.
        run_folder: Holds the code server's socket, so that only its owner reaches it.
    """
    bin_folder = Path(sys.executable).parent
    socket = str(_short(run_folder) / _CODE_SERVER_SOCKET)
    workspace = ["--workspace", str(_workspace(run_folder, socket))]
    commands = {
        "code-server": [
            *(str(bin_folder / "dagster"), "code-server", "start", "--socket", socket),
            *("--module-name", "archive_assets.definitions", "--location-name", _LOCATION),
        ],
        "webserver": [
            *(str(bin_folder / "dagster-webserver"), "--host", _HOST),
            *("--port", str(settings.webserver_port), *workspace),
        ],
        "daemon": [str(bin_folder / "dagster-daemon"), "run", *workspace],
        "listener": [sys.executable, "-m", "sensors.listener"],
    }
    return [Child(name, command, environment) for name, command in commands.items()]


def running_children(settings: Settings) -> dict[str, bool]:
    """Say which children a running `up` has and whether each is alive; empty without one."""
    try:
        pids = json.loads((settings.data_dir / "run" / "up.json").read_text(encoding="ascii"))
    except FileNotFoundError:
        return {}
    return {name: pid is not None and psutil.pid_exists(pid) for name, pid in pids.items()}


async def _until_told(supervisor: Supervisor) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await supervisor.run(stop)


@contextmanager
def only_one(run_folder: Path) -> Iterator[None]:
    """Hold the right to supervise this data folder; the kernel frees it if we are killed."""
    lock = fasteners.InterProcessLock(run_folder / "up.lock")
    if not lock.acquire(blocking=False):
        raise Permanent(f"`face-archive up` already runs on {run_folder.parent}: stop it first.")
    try:
        yield
    finally:
        lock.release()


def _publish(run_folder: Path, pids: Mapping[str, int | None]) -> None:
    """Tell `face-archive status` who is alive; written in one step."""
    partial = run_folder / "up.json.partial"
    partial.write_text(json.dumps(pids), encoding="ascii")
    partial.replace(run_folder / "up.json")


def _workspace(run_folder: Path, socket: str) -> Path:
    """Write the workspace that names our code server.

    Dagster keeps what a sensor remembers under the location's name; left to itself it would take
    the socket's, and forget everything when the data folder moves.
    """
    file = run_folder / "workspace.yaml"
    server = {"grpc_server": {"socket": socket, "location_name": _LOCATION}}
    # JSON is YAML too, and needs no quoting of our own.
    file.write_text(json.dumps({"load_from": [server]}), encoding="utf-8")
    return file


def _short(folder: Path) -> Path:
    """Refuse a folder in which a unix socket's name would not fit."""
    if len(os.fsencode(folder)) + len(_CODE_SERVER_SOCKET) > _SOCKET_NAME_BYTES:
        raise Permanent(f"{folder} is too long a name: set FACE_ARCHIVE_DATA_DIR to a shorter one.")
    return folder


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("up")(up_command)
