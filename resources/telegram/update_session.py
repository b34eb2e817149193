"""The listener's session: it begins where the store says, and Telethon's own saves do nothing.

Telethon writes the state of updates into its session once a minute and on disconnecting, ahead of
what was stored of them. Here the state goes one way only, from the store into the client; the way
back is a transaction together with the inbox (``feed`` hands it over). What is overridden is
private to Telethon 1.45, which is why that is pinned.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from telethon import utils
from telethon.sessions import StringSession
from telethon.tl import types

from archive.ids import ChatId
from archive.listening import HeardChat, Standing

_ACCOUNT = 0
"""What Telethon calls the account's own sequence, beside those of channels by their ids."""


class KeysOnlySession(StringSession):  # type: ignore[misc]
    """A session without Telethon's growing table of peers: access hashes live in the store."""

    def process_entities(self, tlo: Any) -> None:
        """Keep nothing."""


class UpdateSession(KeysOnlySession):
    """A session that knows where updates stand.

    Args:
        secret: The session's string.
        standing: Where listening goes on from.
    """

    def __init__(self, secret: str | None, standing: Standing) -> None:
        super().__init__(secret)
        self._standing = standing
        self._hashes = {
            channel_id(each.chat.chat_id): each.chat.access_hash for each in _channels(standing)
        }

    def get_update_states(self) -> Iterable[tuple[int, Any]]:
        """Return what the store knows, in Telethon's form."""
        state = self._standing.state
        if state is None:
            return
        yield _ACCOUNT, types.updates.State(state.pts, state.qts, state.date, state.seq, 0)
        for each in _channels(self._standing):
            # Telethon reads no more than the first of these of a channel.
            yield (
                channel_id(each.chat.chat_id),
                types.updates.State(each.pts, 0, datetime.fromtimestamp(0, UTC), 0, 0),
            )

    def set_update_state(self, entity_id: int, state: Any) -> None:
        """Keep nothing: the state is stored with what brought it."""

    def get_input_entity(self, key: Any) -> Any:
        """Return the account's key to a channel that Telethon asks for by its bare id."""
        access_hash = self._hashes.get(key) if isinstance(key, int) else None
        if access_hash is None:
            return super().get_input_entity(key)
        return types.InputPeerChannel(key, access_hash)


def channel_id(chat_id: ChatId) -> int:
    """Return the bare id of a channel or supergroup, as updates name it."""
    return int(utils.resolve_id(chat_id)[0])


def chat_id_of(channel: int) -> ChatId:
    """Return the marked id of a channel or supergroup."""
    return ChatId(utils.get_peer_id(types.PeerChannel(channel)))


def _channels(standing: Standing) -> Iterable[HeardChat]:
    return (each for each in standing.heard if each.pts is not None)
