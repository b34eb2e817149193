"""What a chat must be, and what we must be allowed there, for it to be a hub.

Each rule names its way out, because the person who reads it has to act in Telegram. No message
names the chat: it may end up in the log of a run, which outlives an erasure.
"""

from __future__ import annotations

from collections.abc import Iterator

from archive.errors import Permanent
from archive.publishing.records import HubRights


class HubBlocked(Permanent):
    """A chat cannot be a hub as it is; the message says what to change."""


def require_hub_rights(rights: HubRights) -> None:
    """Refuse a chat that cannot hold topics or that strangers could read.

    Args:
        rights: As Telegram answers now.

    Raises:
        HubBlocked: With everything that is missing at once.
    """
    if problems := list(_problems(rights)):
        raise HubBlocked(
            "The chat cannot be the hub: " + " ".join(problems) + " Then run `face-archive "
            "hub check`. Nothing was sent, and nothing is lost."
        )


def _problems(rights: HubRights) -> Iterator[str]:
    if rights.is_public:
        yield (
            "it has a public username, so anybody could look at the people in it; remove the "
            "username in the group's settings, or make a private one with `face-archive hub "
            "create`."
        )
    if not rights.is_forum:
        yield "it has no topics; switch 'Topics' on in the group's settings."
    elif not rights.can_manage_topics:
        yield "the account may not manage topics; make it an admin with 'Manage topics' there."
    if not rights.can_post:
        yield "the account may not post; allow it to send messages, photos and videos there."
    if not rights.can_delete:
        yield (
            "the account may not delete, so nothing posted could be taken back; make it an admin "
            "with 'Delete messages' there."
        )
    if not rights.can_pin:
        # TDLib's can_edit_message: without it one's own messages can be changed for 48 hours only.
        yield (
            "the account may not pin, which changing older posts needs too; make it an admin with "
            "'Pin messages' there."
        )
