"""An account's dialogs, page by page, and its folders.

Implements ``archive.chats.discovering.DialogSource``. The pinned dialogs are asked for by
themselves: among the others they stand first whatever their date, and a page that ended in one
would begin the next in the wrong place (https://core.telegram.org/api/offsets). Only when a person
asks: a sweep of all dialogs on a schedule has cost others a wait of 14 hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from telethon import utils
from telethon.tl import functions, types

from archive.chats.discovering import Beyond, DialogCursor, DialogList, DialogPage, Folder
from archive.ids import ChatId, MessageId
from archive.records import Account, ChatKind, PeerInfo
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import keyed_peer, peer_info

DIALOGS_PER_PAGE: Final = 100
_FOLDERS: Final = {DialogList.MAIN: 0, DialogList.ARCHIVE: 1, DialogList.MOVED: 0}


_KINDS_BY_RULE: Final = {
    "groups": (ChatKind.BASIC_GROUP, ChatKind.SUPERGROUP),
    "broadcasts": (ChatKind.CHANNEL,),
}
_OTHER_RULES: Final = ("contacts", "non_contacts", "bots")


class TelethonDialogs:
    """Dialogs through one connection."""

    def __init__(self, call: Caller, account: Account) -> None:
        self._call = call
        self._account = account

    async def page(self, cursor: DialogCursor) -> DialogPage:
        """Read one page, the pinned dialogs among the first.

        Raises:
            Transient: Telegram asks to wait, or did not answer.
        """
        folder = _FOLDERS[cursor.list]
        pinned: list[PeerInfo] = []
        if cursor.beyond is None and cursor.list is not DialogList.MOVED:
            answer = await self._call(functions.messages.GetPinnedDialogsRequest(folder))
            pinned = peers_in(answer)
        answer = await self._call(dialogs_request(cursor.beyond, folder=folder))
        is_slice = isinstance(answer, types.messages.DialogsSlice)
        found = (*pinned, *peers_in(answer))
        total = answer.count + len(pinned) if is_slice else len(found)
        return DialogPage(found, total, beyond(answer) if is_slice else None)

    async def folders(self) -> Sequence[Folder]:
        """Return the folders that the account's owner made."""
        answer = await self._call(functions.messages.GetDialogFiltersRequest())
        made = (types.DialogFilter, types.DialogFilterChatlist)
        return [_folder(each, self._account) for each in answer.filters if isinstance(each, made)]


def dialogs_request(place: Beyond | None, *, folder: int | None = None) -> Any:
    """Ask for the dialogs behind a place.

    Args:
        place: ``None`` for the newest ones.
        folder: 0 for the main list, 1 for the archive, without the pinned ones; ``None`` for all.
    """
    return functions.messages.GetDialogsRequest(
        offset_date=None if place is None else place.sent_at,
        offset_id=0 if place is None else place.message_id,
        offset_peer=_peer(place),
        limit=DIALOGS_PER_PAGE,
        hash=0,
        exclude_pinned=None if folder is None else True,
        folder_id=folder,
    )


def peers_in(answer: Any) -> list[PeerInfo]:
    """Return the chats of an answer's dialogs, each with its newest message's id."""
    entities = _entities(answer)
    peers = (
        peer_info(entities.get(utils.get_peer_id(dialog.peer)), MessageId(dialog.top_message))
        for dialog in answer.dialogs
        # The archive stands in the main list as if it were a chat.
        if isinstance(dialog, types.Dialog)
    )
    return [peer for peer in peers if peer is not None]


def beyond(answer: Any) -> Beyond | None:
    """Return where the next page begins: behind the last dialog whose message and key are known.

    Returns:
        ``None`` where the answer brought no such dialog: there is nothing behind it.
    """
    entities = _entities(answer)
    dates = {
        (utils.get_peer_id(message.peer_id), message.id): message.date
        for message in answer.messages
        if not isinstance(message, types.MessageEmpty)
    }
    for dialog in reversed(answer.dialogs):
        marked = utils.get_peer_id(dialog.peer)
        sent_at, peer = dates.get((marked, dialog.top_message)), peer_info(entities.get(marked))
        if sent_at is not None and peer is not None and _has_key(peer):
            return Beyond(sent_at, dialog.top_message, peer.chat_id, peer.kind, peer.access_hash)
    return None


def _has_key(peer: PeerInfo) -> bool:
    return peer.access_hash is not None or peer.kind is ChatKind.BASIC_GROUP


def _entities(answer: Any) -> Mapping[int, Any]:
    return {utils.get_peer_id(entity): entity for entity in (*answer.chats, *answer.users)}


def _peer(place: Beyond | None) -> Any:
    if place is None:
        return types.InputPeerEmpty()
    return keyed_peer(place.chat_id, place.kind, place.access_hash)


def _folder(made: Any, account: Account) -> Folder:
    rules = [kinds for rule, kinds in _KINDS_BY_RULE.items() if getattr(made, rule, None)]
    return Folder(
        # Telegram's layers before 196 gave the bare text.
        title=str(getattr(made.title, "text", made.title)),
        chat_ids=_chat_ids((*made.pinned_peers, *made.include_peers), account),
        kinds=frozenset(kind for kinds in rules for kind in kinds),
        without=_chat_ids(getattr(made, "exclude_peers", ()), account),
        has_other_rules=any(getattr(made, rule, None) for rule in _OTHER_RULES),
    )


def _chat_ids(peers: Iterable[Any], account: Account) -> frozenset[ChatId]:
    own = types.PeerUser(account.account_id)
    return frozenset(
        ChatId(utils.get_peer_id(own if isinstance(peer, types.InputPeerSelf) else peer))
        for peer in peers
    )
