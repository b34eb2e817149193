"""What every command starts with: the settings, the logs, the toolbox.

Only the order in which they are made. What they are is `resources`' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from resources.logs import configure_logs
from resources.settings import Settings

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
    # It brings every adapter with it: `--help` need not wait for that.
    from resources.toolbox import Toolbox

    with Toolbox.open(settings or load_settings()) as toolbox:
        yield toolbox
