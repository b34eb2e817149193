"""`face-archive login` and `logout`: sessions for an account, with one code, and their end.

Asks and shows; how a session comes about is `resources.telegram.login`.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from archive.ids import AccountId
from archive.records import Account
from cli.asking import question
from cli.context import load_settings, open_toolbox
from cli.env_file import write_values
from cli.output import emit, say
from resources.settings import DEFAULT_ENV_FILE, Settings


def login_command(
    *,
    phone: Annotated[
        str | None, typer.Option(help="Phone number with country code; asked for if missing.")
    ] = None,
) -> None:
    """Log in to Telegram: one code, then a session of its own for each kind of work.

    A two-factor password is never shown and never stored. Sessions that still work are kept, so
    it does no harm to run this again.

    For example:

    - `face-archive login`
    - `face-archive login --phone +4915112345678`
    """
    settings = _with_application(load_settings())
    phone = phone or typer.prompt("Phone number with country code", err=True)
    with open_toolbox(settings) as toolbox:
        from resources.telegram.login import login

        account = asyncio.run(
            login(
                toolbox.telegram_config,
                toolbox.sessions,
                phone=phone,
                ask_code=question("Code from Telegram"),
                ask_password=question("Two-factor password (not shown)", hidden=True),
            )
        )
        toolbox.accounts.save(account)
    emit([_row(account)], title="Logged in")
    say("Next: `face-archive chats add @name`.")


def logout_command(
    *,
    account: Annotated[
        int | None, typer.Option(help="Whose sessions to end; needed if there are several.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Revoke an account's sessions at Telegram and forget them; the archive stays.

    For example:

    - `face-archive logout`
    """
    if not yes:
        typer.confirm("End this account's sessions?", abort=True, err=True)
    with open_toolbox() as toolbox:
        from resources.telegram.login import logout

        chosen = None if account is None else AccountId(account)
        ended = asyncio.run(logout(toolbox.telegram_config, toolbox.sessions, chosen))
    emit(({"ended": str(lane)} for lane in ended), title="Sessions")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("login")(login_command)
    app.command("logout")(logout_command)


def _with_application(settings: Settings) -> Settings:
    """Ask for the key of the owner's application where it is missing, and keep it."""
    if settings.tg_api_id is not None and settings.tg_api_hash is not None:
        return settings
    say(
        "TG_API_ID or TG_API_HASH is not set: get both at my.telegram.org.",
        "They go into .env; `face-archive init` asks for everything else, too.",
    )
    number = typer.prompt("api_id", type=int, err=True)
    secret = typer.prompt("api_hash (not shown)", hide_input=True, err=True)
    return write_values(DEFAULT_ENV_FILE, {"TG_API_ID": str(number), "TG_API_HASH": secret.strip()})


def _row(account: Account) -> dict[str, object]:
    return {"account": account.account_id, "name": account.name}
