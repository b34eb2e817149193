from __future__ import annotations

from typing import TYPE_CHECKING

from archive.chats import PeerResolver
from archive.history.ports import HistorySource
from archive.media_pass.ports import MediaSource
from archive.publishing import HubGateway
from tests.integration.telegram.conftest import House

if TYPE_CHECKING:
    from resources.telegram.client import TelegramAccount

    def fits_the_ports(
        account: TelegramAccount,
    ) -> tuple[HistorySource, MediaSource, PeerResolver, HubGateway]:
        """Checked by the type checker: what a connection offers is what the use cases ask for."""
        return account.history, account.media, account.peers, account.hub


async def test_what_comes_out_of_the_room_is_none_of_telethons(house: House) -> None:
    house.scenario.supergroup("Family", owner=house.me).text(house.me, "hello")
    account = await house.open()
    (peer,) = await account.peers.dialogs()
    page = await account.history.page(
        await house.chat(account, house.sandbox.state.chat(peer.chat_id)), offset_id=0
    )
    values = [account.account, peer, page, *page.messages, *page.users, *page.chats]
    assert {type(value).__module__.rpartition(".")[0] for value in values} == {"archive.records"}
