"""The handlers, grouped as Telegram groups its methods; importing this registers them all.

Here belongs one function a request: check names, rights and limits, change the world, answer.
"""

from telegram_sandbox.methods import (
    accounts,
    auth,
    channels,
    dialogs,
    files,
    groups,
    history,
    login_tokens,
    passwords,
    reactions,
    searching,
    sending,
    takeout,
    topics,
    updates,
)

__all__ = [
    "accounts",
    "auth",
    "channels",
    "dialogs",
    "files",
    "groups",
    "history",
    "login_tokens",
    "passwords",
    "reactions",
    "searching",
    "sending",
    "takeout",
    "topics",
    "updates",
]
