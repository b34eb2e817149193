"""`face-archive accounts`: who is logged in, and what Telegram asked each of them to wait for.

Only shows; logging in and out is `cli.login`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import open_toolbox
from cli.output import emit

if TYPE_CHECKING:
    from resources.store.accounts import AccountRow

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


def account_row(account: AccountRow) -> dict[str, object]:
    """Show an account by its state and its flood."""
    return {
        "account": account.account_id,
        "name": account.name,
        "state": account.state,
        "reason": account.state_reason,
        "flood_until": account.flood_until and f"{account.flood_until:%Y-%m-%d %H:%M:%S} UTC",
        "flood_method": account.flood_method,
    }


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    app.add_typer(accounts_app, name="accounts")
