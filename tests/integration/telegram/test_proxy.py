"""Telegram through a proxy: every connection, that to a file's data centre included."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError
from telethon.network import ConnectionTcpMTProxyRandomizedIntermediate

from archive.errors import Transient
from resources.settings import Settings
from resources.telegram.client import connect
from resources.telegram.config import TelegramConfig
from resources.telegram.login import login
from resources.telegram.proxy import Proxy, ProxyKind, parse_proxy
from resources.telegram.sessions import Lane
from resources.telegram.telethon_client import build_client
from tests.fixtures.socks import socks_proxy
from tests.integration.telegram.conftest import (
    FILE_DC,
    PHONE,
    House,
    no_password,
    right_code,
)
from tests.integration.telegram.shelf import Shelf, fetch, noise


async def test_login_and_files_go_through_a_socks_proxy(house: House) -> None:
    shelf = Shelf(house)
    data = noise(100_000)
    shelf.group.document(house.me, data, dc=FILE_DC)
    async with socks_proxy("ada", "p@ss:word") as proxy:
        through = replace(
            house.config,
            proxy=parse_proxy(f"socks5://ada:p%40ss%3Aword@127.0.0.1:{proxy.port}"),
        )
        await login(
            through,
            house.files,
            phone=PHONE,
            ask_code=right_code,
            ask_password=no_password,
            lanes=[Lane.LIVE],
        )
        reached = len(proxy.reached)
        assert set(proxy.reached) == {(house.sandbox.host, house.sandbox.port)}
        async with connect(through, house.files, Lane.LIVE) as account:
            assert account.account.account_id == house.me.id
            assert await fetch(account, *(await shelf.newest(account))) == data
        assert {port for _, port in proxy.reached[reached:]} == set(house.sandbox.ports.values())


async def test_a_proxy_that_refuses_the_password_is_a_trouble_without_it_in_the_message(
    house: House,
) -> None:
    async with socks_proxy("ada", "right") as proxy:
        refused = replace(
            house.config, proxy=Proxy(ProxyKind.SOCKS5, "127.0.0.1", proxy.port, "ada", "wr0ng")
        )
        with pytest.raises(Transient, match="connection to Telegram") as trouble:
            await login(
                refused,
                house.files,
                phone=PHONE,
                ask_code=right_code,
                ask_password=no_password,
            )
        assert "wr0ng" not in str(trouble.value)
        assert proxy.reached == []


def test_an_mtproxy_is_telethons_own_connection() -> None:
    proxy = parse_proxy("mtproxy://dd0123456789abcdef0123456789abcdef@proxy.example:443")
    client = build_client(TelegramConfig(1, "x", proxy=proxy))
    assert client._connection is ConnectionTcpMTProxyRandomizedIntermediate
    assert client._proxy == ("proxy.example", 443, "dd0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@host:80",
        "socks5://user:s3cret@host",
        "socks5://user:s3cret@:1080",
        "socks5://user:s3cret@host:99999",
        "mtproxy://host:443",
        "s3cret",
    ],
)
def test_what_is_no_proxy_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError, match=r"user:password@host:port|has a secret") as no:
        Settings(telegram_proxy=url)  # type: ignore[arg-type]
    assert "s3cret" not in str(no.value)


def test_a_proxys_secrets_are_in_no_representation() -> None:
    config = TelegramConfig(1, "x", proxy=parse_proxy("socks5://ada:s3cret@host:1080"))
    assert "s3cret" not in repr(config)
    assert "s3cret" not in repr(Settings(telegram_proxy="socks5://ada:s3cret@host:1"))  # type: ignore[arg-type]
