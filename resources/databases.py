"""Which two databases this installation uses: servers by URL, or the embedded one.

The one place that decides. Starting the embedded server is ``store.embedded``; the schema is
``store.migrate``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from resources.settings import Settings
from resources.store.embedded import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where the archive and Dagster keep their rows; both may hold a password.

    Attributes:
        archive: libpq URL.
        dagster: SQLAlchemy URL.
    """

    archive: str = field(repr=False)
    dagster: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """Name them for child processes, so that those start no server of their own."""
        return {
            "FACE_ARCHIVE_DATABASE_URL": self.archive,
            "FACE_ARCHIVE_DAGSTER_DATABASE_URL": self.dagster,
            "DAGSTER_PG_URL": self.dagster,
        }


def embedded_folder(settings: Settings) -> Path:
    """Where the embedded server keeps its data."""
    return settings.data_dir / "postgres"


@contextmanager
def databases(settings: Settings, *, owner: bool = False) -> Iterator[DatabaseUrls]:
    """Give the URLs, with the embedded server running while the body does if it is needed.

    Args:
        settings: URLs that are set win, each on its own.
        owner: Stop the server at the end whoever else holds it; else the last one to let go
            does.

    Raises:
        Permanent: The embedded server cannot live where the data folder is.
    """
    archive = settings.database_url and settings.database_url.get_secret_value()
    dagster = settings.dagster_database_url and settings.dagster_database_url.get_secret_value()
    if archive and dagster:
        yield DatabaseUrls(archive, dagster)
        return
    server = EmbeddedPostgres(embedded_folder(settings))
    try:
        yield DatabaseUrls(archive or server.archive_url, dagster or server.dagster_url)
    finally:
        if owner:
            server.stop()
        else:
            server.release()
