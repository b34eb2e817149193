"""Accounts: whether one may be used, and what to do where it may not.

The states and their words. Logging in and out is an adapter's, which chats an account reads the
store's.
"""

from __future__ import annotations

from enum import StrEnum

from archive.errors import Permanent
from archive.ids import AccountId


class AccountState(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    PAUSED = "paused"
    """Its owner said so; until he says otherwise no lane of it connects."""

    ERROR = "error"
    """Telegram refused its session, or it logged out: it has to log in again."""

    REMOVED = "removed"
    """Its owner took it away; what it read stays."""


class AccountHeld(Permanent):
    """The account may not be used now; the message says how it may be again.

    Args:
        account_id: Which one.
        state: Any but active.
        reason: Why, where the state has one.
    """

    def __init__(self, account_id: AccountId, state: AccountState, reason: str | None) -> None:
        super().__init__(_explain(account_id, state, reason))
        self.account_id = account_id
        self.state = state
        self.reason = reason

    def __reduce__(self) -> tuple[type[AccountHeld], tuple[AccountId, AccountState, str | None]]:
        """Pickle by what it was made of."""
        return type(self), (self.account_id, self.state, self.reason)


def require_active(account_id: AccountId, state: AccountState, reason: str | None) -> None:
    """Let an account that may be used pass.

    Raises:
        AccountHeld: It may not.
    """
    if state is not AccountState.ACTIVE:
        raise AccountHeld(account_id, state, reason)


def _explain(account_id: AccountId, state: AccountState, reason: str | None) -> str:
    match state:
        case AccountState.PAUSED:
            return (
                f"Account {account_id} is paused: `face-archive accounts resume {account_id}` "
                "ends that."
            )
        case AccountState.REMOVED:
            return f"Account {account_id} was removed: `face-archive login` brings it back."
        case _:
            return reason or f"Account {account_id} cannot be used: run `face-archive login`."
