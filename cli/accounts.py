"""`face-archive accounts`: who is logged in, how Telegram treats them, rest and departure.

Logging in and out is `cli.login`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import Permanent
from archive.ids import AccountId
from cli.context import load_settings, open_toolbox
from cli.login import end_sessions, report_ended
from cli.output import emit, say
from resources.telegram.sealing import SETTING
from resources.telegram.sessions import SessionFiles, session_files

if TYPE_CHECKING:
    from resources.store.accounts import AccountRow, AccountStore

_Account = Annotated[
    int | None,
    typer.Argument(metavar="[ACCOUNT]", help="Its number; needed if there are several."),
]

accounts_app = typer.Typer(
    no_args_is_help=True, help="Who is logged in, and how Telegram treats them."
)


@accounts_app.command("list")
def list_command() -> None:
    """List the accounts, with the wait that Telegram asked for while it holds.

    `flood until` is when any run of the account asks Telegram again; nothing has to be done.

    For example:

    - `face-archive accounts list`
    """
    with open_toolbox() as toolbox:
        accounts = toolbox.accounts.list()
    emit(
        map(account_row, accounts),
        title="Accounts",
        empty="Nobody is logged in: run `face-archive login`.",
    )


@accounts_app.command("pause")
def pause_command(account: _Account = None) -> None:
    """Let an account rest: none of its lanes connects until it is resumed.

    A run that is under way ends at its next request, and the listener within a quarter of a
    minute. Chats that another account can read, too, are read by that one.

    For example:

    - `face-archive accounts pause`
    - `face-archive accounts pause 123456789`
    """
    chosen = _change(account, "Paused", lambda accounts, own: accounts.pause(own))
    say(f"`face-archive accounts resume {chosen}` ends that.")


@accounts_app.command("resume")
def resume_command(account: _Account = None) -> None:
    """End an account's pause: what was missed meanwhile is fetched.

    For example:

    - `face-archive accounts resume`
    - `face-archive accounts resume 123456789`
    """
    _change(account, "Resumed", lambda accounts, own: accounts.resume(own))


@accounts_app.command("remove")
def remove_command(
    account: Annotated[int, typer.Argument(metavar="ACCOUNT", help="Its number.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go with it.")
    ] = False,
) -> None:
    """Take an account away: its sessions are revoked, its keys forgotten, what it read stays.

    Chats that another account is in are read by that one from then on. The others keep their
    messages, faces and people, and are marked as lost. To have it back, log in again.

    For example:

    - `face-archive accounts remove 123456789 --dry-run`
    - `face-archive accounts remove 123456789 --yes`
    """
    with open_toolbox() as toolbox:
        row = toolbox.accounts.get(AccountId(account))
        would = {"account": row.account_id, "name": row.name}
        would |= dataclasses.asdict(toolbox.accounts.departure(row.account_id))
        if dry_run:
            emit([would], title="Would go")
            return
        if not yes:
            emit([would], title="Goes", beside=True)
            typer.confirm(f"Remove {row.name}?", default=False, abort=True, err=True)
        ended = end_sessions(toolbox, row.account_id)
        toolbox.accounts.remove(row.account_id)
    report_ended(ended)


@accounts_app.command("protect")
def protect_command() -> None:
    """Encrypt the sessions with the passphrase in FACE_ARCHIVE_SESSION_PASSPHRASE.

    Whoever copies the data folder then needs the passphrase, too. Every process needs it from
    then on: without it nothing connects.

    For example:

    - `face-archive accounts protect`
    """
    _rewritten("protected", SessionFiles.protect)


@accounts_app.command("unprotect")
def unprotect_command() -> None:
    """Decrypt the sessions; the passphrase has to be set once more for it.

    For example:

    - `face-archive accounts unprotect`
    """
    _rewritten("unprotected", SessionFiles.unprotect)
    say(f"Now take {SETTING} out of .env.")


def _rewritten(how: str, rewrite: Callable[[SessionFiles], int]) -> None:
    """Rewrite the session files, which needs no database."""
    emit([{how: rewrite(session_files(load_settings()))}], title="Files")


def _change(
    account: int | None, title: str, change: Callable[[AccountStore, AccountId], None]
) -> AccountId:
    """Change the account of this number, or the only one there is, and show it.

    Raises:
        Permanent: There is none, or there are several and none was named.
    """
    with open_toolbox() as toolbox:
        accounts = toolbox.accounts
        own = _the_only_one(accounts) if account is None else AccountId(account)
        change(accounts, own)
        emit([account_row(accounts.get(own))], title=title)
    return own


def _the_only_one(accounts: AccountStore) -> AccountId:
    known = accounts.list()
    if not known:
        raise Permanent("No account is logged in: run `face-archive login`.")
    if len(known) > 1:
        names = ", ".join(f"{row.account_id} ({row.name})" for row in known)
        raise Permanent(f"There are several accounts: say which one, {names}.")
    return known[0].account_id


def account_row(account: AccountRow) -> dict[str, object]:
    """Show an account by its state and its flood."""
    return {
        "account": account.account_id,
        "name": account.name,
        "state": account.state,
        "reason": account.state_reason,
        "last_active": account.last_active and f"{account.last_active:%Y-%m-%d %H:%M:%S} UTC",
        "flood_until": account.flood_until and f"{account.flood_until:%Y-%m-%d %H:%M:%S} UTC",
        "flood_method": account.flood_method,
    }


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    app.add_typer(accounts_app, name="accounts")
