"""What every command starts with: the settings, the logs, the toolbox.

Only the order in which they are made. What they are is `resources`' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archive.errors import Permanent
from resources.databases import databases
from resources.logs import configure_logs
from resources.settings import Settings
from resources.store.migrate import status

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def load_settings() -> Settings:
    """Read the settings of this process and let the logs follow them.

    Raises:
        SettingsError: Something that is set cannot be used.
    """
    settings = Settings.load()
    configure_logs(settings.log_level, settings.log_format)
    return settings


@contextmanager
def open_toolbox(settings: Settings | None = None) -> Iterator[Toolbox]:
    """Give the toolbox of this installation while the body runs.

    Raises:
        SettingsError: Something that is set cannot be used.
        Transient: The database does not answer.
        Permanent: It lacks a migration, or cannot live where it is asked to.
    """
    # They bring every adapter with them: `--help` need not wait for that.
    from resources.store.database import Database
    from resources.toolbox import Toolbox

    settings = settings or load_settings()
    with databases(settings) as urls:
        # A pool on a database without our types would only say that it did not answer.
        if missing := sum(not each.applied for each in status(urls.archive)):
            raise Permanent(
                f"The database lacks {missing} migrations: run `face-archive db migrate`."
            )
        with Database(urls.archive) as database:
            yield Toolbox(settings, database)
