"""`face-archive login` and `logout`: sessions for an account, with one code, and their end.

Asks and shows; how a session comes about is `resources.telegram.login`, and how it ends `logout`
beside it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from archive.ids import AccountId
from archive.records import Account
from cli.context import load_settings, open_toolbox
from cli.env_file import write_values
from cli.exits import ExitCode
from cli.output import emit, say
from cli.prompts import question
from resources.settings import DEFAULT_ENV_FILE, Settings

if TYPE_CHECKING:
    from resources.telegram.logout import EndedSession
    from resources.toolbox import Toolbox

_LOGGED_OUT = "It was logged out: run `face-archive login`."


def login_command(
    *,
    phone: Annotated[
        str | None, typer.Option(help="Phone number with country code; asked for if missing.")
    ] = None,
    qr: Annotated[
        bool, typer.Option("--qr", help="Show a code that the app scans; no number is needed.")
    ] = False,
) -> None:
    """Log in to Telegram: one code, then a session of its own for each kind of work.

    A two-factor password is never shown and never stored. Sessions that still work are kept, so
    it does no harm to run this again; with `--qr` the first one is made anew.

    For example:

    - `face-archive login`
    - `face-archive login --phone +4915112345678`
    - `face-archive login --qr`
    """
    if phone and qr:
        raise typer.BadParameter("Give either a number or --qr.")
    settings = _with_application(load_settings())
    if not qr:
        phone = phone or typer.prompt("Phone number with country code", err=True)
    with open_toolbox(settings) as toolbox:
        account = asyncio.run(_log_in(toolbox, phone))
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

    Exits with 4 if Telegram could not be told of one: it is forgotten here, and the message says
    where to end it.

    For example:

    - `face-archive logout`
    - `face-archive logout --account 123456789 --yes`
    """
    with open_toolbox() as toolbox:
        chosen = toolbox.sessions.chosen(None if account is None else AccountId(account))
        if not yes:
            typer.confirm(f"End the sessions of account {chosen}?", abort=True, err=True)
        # First of all, so that nothing asks in its name meanwhile.
        toolbox.accounts.fail(chosen, _LOGGED_OUT)
        ended = end_sessions(toolbox, chosen)
    report_ended(ended)


def end_sessions(toolbox: Toolbox, account_id: AccountId) -> list[EndedSession]:
    """Revoke and forget whatever sessions an account has."""
    from resources.telegram.logout import logout

    return asyncio.run(logout(toolbox.telegram_config, toolbox.sessions, account_id))


def report_ended(ended: list[EndedSession]) -> None:
    """Show what became of sessions.

    Raises:
        typer.Exit: A person has to end some in the app.
    """
    from resources.telegram.logout import BY_HAND

    rows = (
        {"session": str(each.lane), "ended": not each.still_alive, "why_not": each.still_alive}
        for each in ended
    )
    emit(rows, title="Sessions", empty="There was no session.")
    if any(each.still_alive for each in ended):
        say(BY_HAND)
        raise typer.Exit(ExitCode.PERSON_MUST_ACT)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("login")(login_command)
    app.command("logout")(logout_command)


async def _log_in(toolbox: Toolbox, phone: str | None) -> Account:
    """Log in with a number, or with a code to scan where there is none."""
    from resources.telegram.login import login
    from resources.telegram.qr_login import qr_login

    config, files = toolbox.telegram_config, toolbox.sessions
    password = question("Two-factor password (not shown)", hidden=True)
    if phone is None:
        return await qr_login(config, files, show=_show_link, ask_password=password)
    code = question("Code from Telegram")
    return await login(config, files, phone=phone, ask_code=code, ask_password=password)


def _show_link(link: str) -> None:
    """Show a link as a code to scan, where there is somebody to scan it, and as text."""
    import segno

    if sys.stderr.isatty():
        segno.make(link).terminal(out=sys.stderr, compact=True, border=2)
    say("Scan this in the app: Settings → Devices → Link desktop device. Or open it there:", link)


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
