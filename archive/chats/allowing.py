"""Allowing: the switches of a chat, each off until its owner turns it on, and their rules.

What follows from a switch is done elsewhere: planning and reading in ``archive.history``, erasing
in ``archive.deletions``.
"""

from __future__ import annotations

from archive.chats.ports import Allowance, ChatStore
from archive.errors import Permanent
from archive.records import Chat, MediaKind, OnDeletion, Switches


def allow(
    chat: Chat,
    switches: Switches,
    store: ChatStore,
    *,
    hold_backfill: bool | None = None,
    media_types: frozenset[MediaKind] | None = None,
    max_media_bytes: int | None = None,
    on_deletion: OnDeletion | None = None,
) -> Chat:
    """Switch on what the owner allows; what is not named stays as it is.

    Planning the chat's windows comes next (``history.plan_windows``): it has to ask Telegram.

    Args:
        chat: The chat as it is stored now.
        switches: Those to turn on.
        store: Where chats are remembered.
        hold_backfill: Whether windows wait until somebody asks for them.
        media_types: Kinds to fetch from now on.
        max_media_bytes: Largest file to fetch from now on.
        on_deletion: What a deletion does to faces and posts; holds for earlier ones too.

    Raises:
        Permanent: A rule forbids it; the message says which and what to do.
    """
    now = chat.switches
    wanted = Switches(
        archive=now.archive or switches.archive,
        faces=now.faces or switches.faces,
        publish=now.publish or switches.publish,
        keep_originals=now.keep_originals or switches.keep_originals,
    )
    _check(chat, wanted)
    allowance = Allowance(
        wanted,
        chat.media_types if media_types is None else media_types,
        chat.max_media_bytes if max_media_bytes is None else max_media_bytes,
        chat.hold_backfill if hold_backfill is None else hold_backfill,
        on_deletion or chat.on_deletion,
    )
    return store.set_allowance(chat.chat_no, allowance, again=_does_more(chat, allowance))


def deny(chat: Chat, switches: Switches, store: ChatStore) -> Chat:
    """Switch off what the owner forbids, and with it what cannot be without it.

    Work under way looks at the switch before each commit, so nothing new is stored after this.
    With the faces goes what was made of them, unless another chat allows it: from now on
    ``deletions.erase_lost`` finds it.

    Args:
        chat: The chat as it is stored now.
        switches: Those to turn off.
        store: Where chats are remembered.
    """
    archive = chat.switches.archive and not switches.archive
    faces = archive and chat.switches.faces and not switches.faces
    publish = faces and chat.switches.publish and not switches.publish
    originals = archive and chat.switches.keep_originals and not switches.keep_originals
    allowance = Allowance(
        Switches(archive, faces, publish, originals),
        chat.media_types,
        chat.max_media_bytes,
        chat.hold_backfill,
        chat.on_deletion,
    )
    drop_faces = switches.archive or switches.faces
    return store.set_allowance(chat.chat_no, allowance, again=False, drop_faces=drop_faces)


def _check(chat: Chat, wanted: Switches) -> None:
    """Refuse what the rules forbid, with the way out."""
    if chat.is_hub:
        raise Permanent("This chat is a hub, and a hub is never a source. Choose another chat.")
    if wanted.faces and not wanted.archive:
        raise Permanent("Faces are found in what is archived: allow --archive as well.")
    if wanted.keep_originals and not wanted.archive:
        raise Permanent("Originals are kept of what is archived: allow --archive as well.")
    if wanted.publish and not wanted.faces:
        raise Permanent("Posts show faces that were found: allow --faces as well.")
    if wanted.publish and chat.noforwards:
        raise Permanent(
            "This chat forbids copying its content, so it may be archived but never published. "
            "Allow --archive and --faces without --publish."
        )


def _does_more(chat: Chat, allowance: Allowance) -> bool:
    """Whether a media pass over windows already done would now produce more."""
    if not allowance.switches.archive:
        return False
    larger = chat.max_media_bytes is not None and (
        allowance.max_media_bytes is None or allowance.max_media_bytes > chat.max_media_bytes
    )
    return (
        not chat.switches.archive
        or (allowance.switches.faces and not chat.switches.faces)
        or (allowance.switches.keep_originals and not chat.switches.keep_originals)
        or bool(allowance.media_types - chat.media_types)
        or larger
    )
