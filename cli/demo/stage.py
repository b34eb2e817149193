"""The demo's installation: a folder of its own, made anew each time, that no `.env` reaches."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.up import only_one
from resources.dagster_home import child_environment, prepare_dagster_home
from resources.databases import databases, embedded_folder
from resources.settings import Settings
from resources.settings_source import PLAIN_NAMES, PREFIX
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate
from telegram_sandbox import ThreadedSandbox

# What one demo leaves behind and the next begins without; the database cluster stays.
_LEFT_BEHIND = ("blobs", "dagster", "sessions", "logs", "warehouse")


@contextmanager
def demo_installation(telegram: ThreadedSandbox) -> Iterator[Settings]:
    """Make an empty installation that talks to the loopback Telegram.

    This process and its children see no other settings from here on.

    Raises:
        Permanent: Another demo runs on the same folder, or the folder cannot hold a database.
    """
    real = Settings.load()
    folder = real.data_dir.with_name(f"{real.data_dir.name}-demo")
    (folder / "run").mkdir(parents=True, exist_ok=True)
    with only_one(folder / "run"):
        for name in _LEFT_BEHIND:
            shutil.rmtree(folder / name, ignore_errors=True)
        own = own_settings(folder, telegram)
        own["FACE_ARCHIVE_WEBSERVER_PORT"] = str(real.webserver_port)
        EmbeddedPostgres(embedded_folder(Settings.load(None, own))).recreate()
        with databases(Settings.load(None, own), owner=True) as urls:
            migrate(urls.archive)
            environment = child_environment(folder, urls, foreign_environment() | own)
            os.environ.clear()
            os.environ.update(environment)
            # No `.env` here, neither for us nor for the children.
            os.chdir(folder)
            prepare_dagster_home(folder)
            yield Settings.load()


def own_settings(folder: Path, telegram: ThreadedSandbox) -> dict[str, str]:
    """Give the settings, as an environment, of an installation that knows this Telegram only.

    Args:
        folder: Its data folder, with a folder `run` in it.
        telegram: Its key is written there.
    """
    key = folder / "run" / "telegram.pem"
    key.write_text(telegram.public_key_pem, encoding="ascii")
    return {
        "TG_API_ID": "20",
        "TG_API_HASH": "demo",
        "LOG_LEVEL": "WARNING",
        "FACE_ARCHIVE_DATA_DIR": str(folder),
        "FACE_ARCHIVE_TELEGRAM_SERVER": f"{telegram.host}:{telegram.port}",
        "FACE_ARCHIVE_TELEGRAM_SERVER_KEY": str(key),
        # The loopback Telegram has no limit.
        "FACE_ARCHIVE_TELEGRAM_REQUESTS_PER_MINUTE": "100000",
    }


def foreign_environment() -> dict[str, str]:
    """Give the environment without the settings of the real installation."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in PLAIN_NAMES and not name.startswith(PREFIX)
    }
