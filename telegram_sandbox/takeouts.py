"""Takeout sessions: which exist, and whose they are.

Here belongs their life; the requests that begin and end them are in `methods/takeout`.
Source: https://core.telegram.org/api/takeout
"""

import secrets

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.session import KeyRecord


class Takeouts:
    """The takeout sessions that may be used now."""

    def __init__(self) -> None:
        """Starts with none."""
        self._owners: dict[int, KeyRecord] = {}

    def begin(self, key: KeyRecord) -> int:
        """Begins one for a login; returns its id. One that the account had before is invalid."""
        self._owners = {
            number: owner for number, owner in self._owners.items() if owner.user is not key.user
        }
        number = secrets.randbelow(2**62) + 1
        self._owners[number] = key
        return number

    def check(self, number: int, key: KeyRecord) -> None:
        """Lets through a takeout session that is the login's own.

        Raises:
            RpcRefusal: TAKEOUT_INVALID.
        """
        owner = self._owners.get(number)
        # A file data centre has a key of its own for the same account.
        if owner is None or owner.user is not key.user:
            raise RpcRefusal("TAKEOUT_INVALID")

    def end(self, number: int) -> None:
        """Ends one."""
        self._owners.pop(number, None)

    def end_all(self) -> None:
        """Invalidates all of them, as another export of the account does."""
        self._owners.clear()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._owners)
