"""The two-factor password: asked for when Telegram wants it, known only while a login runs.

Asking a person, and hiding what is typed, is the caller's; what is logged in is ``login``'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from telethon import password as srp
from telethon.tl import functions

from resources.telegram.calling import Caller
from resources.telegram.errors import TelegramRefused

Ask = Callable[[], Awaitable[str]]

ATTEMPTS = 3
"""How often a code or password may be typed; Telegram itself counts them, too."""

_ASK_AGAIN = frozenset({"PASSWORD_HASH_INVALID", "PASSWORD_EMPTY"})


class TwoFactor:
    """One account's password.

    Args:
        ask: Asks the person; not again once an answer was right.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: str | None = None

    async def check(self, call: Caller) -> Any:
        """Prove the password on a connection that waits for it; return the authorization.

        Raises:
            TelegramRefused: It was wrong three times, or Telegram wants no more of them.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._try(call)
            except TelegramRefused as error:
                if error.code not in _ASK_AGAIN:
                    raise
        return await self._try(call)

    async def _try(self, call: Caller) -> Any:
        password = self._known if self._known is not None else await self._ask()
        self._known = None
        rules = await call(functions.account.GetPasswordRequest())
        proof = srp.compute_check(rules, password)
        authorization = await call(functions.auth.CheckPasswordRequest(proof))
        self._known = password
        return authorization
