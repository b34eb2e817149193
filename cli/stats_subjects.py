"""Which chat and whom a person means who asks the warehouse; only that needs the database."""

from __future__ import annotations

from dataclasses import dataclass

from archive.chats import find_chat
from archive.finding import find_identity
from cli.context import open_toolbox


@dataclass(frozen=True, slots=True)
class Meant:
    """A chat and a person as the marts write them; None where nobody spoke of one."""

    chat_no: str | None
    identity_id: str | None


def meant(*, chat: str | None = None, person: str | None = None) -> Meant:
    """Find out what is meant.

    Args:
        chat: Number, @name, link or title.
        person: Number, name or id.

    Raises:
        Permanent: None or several are meant.
    """
    if chat is None and person is None:
        return Meant(None, None)
    with open_toolbox() as toolbox:
        found_chat = find_chat(toolbox.chats.list(), chat) if chat else None
        card = find_identity(toolbox.register, person) if person else None
    return Meant(
        str(found_chat.chat_no) if found_chat else None,
        str(card.identity.identity_id) if card else None,
    )
