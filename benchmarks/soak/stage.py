"""An archive on an empty database that reads a running sandbox as one account."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from archive.ids import AccountId
from resources.settings import Settings
from resources.store.database import Database
from resources.telegram.login import login
from resources.toolbox import Toolbox
from telegram_sandbox import Sandbox
from telegram_sandbox.scenario import DEFAULT_LOGIN_CODE

PHONE: Final = "+15550100"
"""Of the account that reads; the scenario must know it."""


def archive_of(folder: Path, sandbox: Sandbox, database: Database, **settings: str) -> Toolbox:
    """Give the tools of an archive.

    Args:
        folder: Its data folder.
        sandbox: The Telegram that it knows, running.
        database: Migrated and empty.
        settings: Further ones, by their names in the environment.
    """
    key = folder / "telegram.pem"
    key.write_text(sandbox.public_key_pem, encoding="ascii")
    environment = {
        "TG_API_ID": "20",
        "TG_API_HASH": "soak",
        "FACE_ARCHIVE_DATA_DIR": str(folder),
        "FACE_ARCHIVE_TELEGRAM_SERVER": f"{sandbox.host}:{sandbox.port}",
        "FACE_ARCHIVE_TELEGRAM_SERVER_KEY": str(key),
        "FACE_ARCHIVE_TELEGRAM_REQUESTS_PER_MINUTE": "100000",
        "FACE_ARCHIVE_MEDIA_WORKERS": "1",
    }
    return Toolbox(Settings.load(None, environment | settings), database)


async def log_in(toolbox: Toolbox) -> AccountId:
    """Log the account in on every lane."""

    async def code() -> str:
        return DEFAULT_LOGIN_CODE

    account = await login(
        toolbox.telegram_config,
        toolbox.sessions,
        phone=PHONE,
        ask_code=code,
        ask_password=code,
    )
    toolbox.accounts.save(account)
    return account.account_id
