"""What a chat must be, and what we must be allowed there, for it to be a hub.

Each rule names its way out, because the person who reads it has to act in Telegram. No message
names the chat: it may end up in the log of a run, which outlives an erasure.
"""

from __future__ import annotations

from collections.abc import Iterator

from archive.errors import Permanent
from archive.publishing.records import HubGateway, HubGone, HubRights
from archive.records import Chat

_GONE = (
    "The hub was deleted, or the account is no member of it any more. Let the account join it "
    "again and run `face-archive hub check`; or give its people another hub with `face-archive "
    "hub add`, and then let go of this one with `face-archive hub retire`. Nothing was sent."
)


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


async def rights_in(gateway: HubGateway, hub: Chat) -> HubRights:
    """Ask Telegram what a hub is now and what our account may do there.

    Raises:
        HubBlocked: It is gone; with the way out.
        Transient: Telegram did not answer.
    """
    try:
        return await gateway.inspect(hub)
    except HubGone as gone:
        raise HubBlocked(_GONE) from gone


async def require_usable(gateway: HubGateway, hub: Chat) -> None:
    """Ask Telegram whether a hub can be written to now.

    Raises:
        HubBlocked: It cannot, or it is gone; with the way out.
        Transient: Telegram did not answer.
    """
    require_hub_rights(await rights_in(gateway, hub))


def full_reason(without_room: int) -> str:
    """Say what it means that a hub is full, and what to do.

    Args:
        without_room: How many people no other hub of the same rule has room for.
    """
    if not without_room:
        return "The hub holds as much as one can: whoever is new goes to the next of its rule."
    people = "person waits" if without_room == 1 else "people wait"
    return (
        f"The hub holds as much as one can, and {without_room} {people} for another: make one "
        "with `face-archive hub add --new`, with the same --chat and --tag. Whoever has a topic "
        "keeps it, and it is kept up to date."
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
