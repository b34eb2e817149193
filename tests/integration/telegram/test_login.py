from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import pytest
from telethon.tl import functions

from archive.errors import Permanent, Transient
from archive.ids import AccountId
from resources.telegram import client
from resources.telegram import qr_login as module
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.config import TelegramConfig
from resources.telegram.errors import SessionLost, TelegramRefused
from resources.telegram.login import login
from resources.telegram.logout import EndedSession, logout
from resources.telegram.qr_login import qr_login
from resources.telegram.sessions import Lane, SessionFiles
from resources.telegram.telethon_client import build_client
from telegram_sandbox import User
from tests.integration.telegram.conftest import PHONE, House, no_password, right_code


class Answers:
    """What a person types, one answer after another."""

    def __init__(self, *answers: str) -> None:
        self.waiting = list(answers)

    async def __call__(self) -> str:
        return self.waiting.pop(0)


async def test_one_code_makes_a_session_for_every_lane(house: House) -> None:
    code = Answers("12345")
    account = await login(
        house.config, house.files, phone=PHONE, ask_code=code, ask_password=no_password
    )
    assert account.account_id == house.me.id
    assert account.name == "Ada Lovelace"
    assert code.waiting == []
    assert house.sandbox.sessions_of(house.me) == len(Lane)
    secrets = {house.files.load(None, lane).secret for lane in Lane}
    assert len(secrets) == len(Lane)


async def test_session_files_are_nobody_elses_to_read(house: House) -> None:
    account = await house.login()
    names = {path.name for path in house.sessions_folder.iterdir()}
    assert names == {f"{account.account_id}.{lane}.session" for lane in Lane}
    modes = {path.stat().st_mode & 0o777 for path in house.sessions_folder.iterdir()}
    assert modes == {0o600}
    assert house.sessions_folder.stat().st_mode & 0o777 == 0o700


async def test_a_second_login_asks_for_no_code_and_keeps_what_works(house: House) -> None:
    await house.login()
    before = {lane: house.files.load(None, lane).secret for lane in Lane}
    house.files.remove(AccountId(house.me.id), Lane.PUBLISH)
    await login(
        house.config, house.files, phone=PHONE, ask_code=Answers(), ask_password=no_password
    )
    after = {lane: house.files.load(None, lane).secret for lane in Lane}
    assert house.asked("auth.sendCode") == 1
    assert {lane for lane in Lane if before[lane] != after[lane]} == {Lane.PUBLISH}


async def test_a_login_after_all_sessions_were_revoked_begins_anew(house: House) -> None:
    await house.login()
    house.sandbox.revoke_sessions(house.me)
    await house.login()
    assert house.asked("auth.sendCode") == 2
    assert house.sandbox.sessions_of(house.me) == len(Lane)


async def test_a_wrong_code_is_asked_for_again(house: House) -> None:
    code = Answers("99999", "12345")
    await login(house.config, house.files, phone=PHONE, ask_code=code, ask_password=no_password)
    assert house.asked("auth.sendCode") == 1


async def test_three_wrong_codes_end_the_login_and_leave_no_session(house: House) -> None:
    with pytest.raises(TelegramRefused, match="code is wrong; run `face-archive login`"):
        await login(
            house.config,
            house.files,
            phone=PHONE,
            ask_code=Answers("1", "2", "3"),
            ask_password=no_password,
        )
    assert house.files.accounts() == []


async def test_a_number_without_an_account_is_told_to_sign_up(house: House) -> None:
    with pytest.raises(Permanent, match=r"sign up"):
        await house.login("+491700009999")


async def test_a_key_that_no_file_can_hold_is_negotiated_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = [False]
    monkeypatch.setattr(client, "has_storable_key", lambda _: verdicts.pop() if verdicts else True)
    await house.login()
    assert len(house.sandbox.keys) == len(Lane) + 1
    async with connect(house.config, house.files, Lane.LISTENER) as account:
        assert account.account.account_id == house.me.id


async def test_a_revoked_session_says_to_log_in_again(house: House) -> None:
    await house.login()
    house.sandbox.revoke_sessions(house.me)
    with pytest.raises(SessionLost, match="run `face-archive login`"):
        await house.open()


async def test_a_session_revoked_in_the_middle_says_so_too(house: House) -> None:
    account = await house.open()
    house.sandbox.revoke_sessions(house.me)
    with pytest.raises(SessionLost, match="run `face-archive login`"):
        await account.peers.dialogs()


async def test_nobody_logged_in_says_to_log_in(house: House) -> None:
    with pytest.raises(Permanent, match="run `face-archive login`"):
        async with connect(house.config, house.files, Lane.LIVE):
            pass


async def test_with_two_accounts_one_must_be_named(house: House) -> None:
    await house.login()
    house.scenario.user("Grace", phone="+491700000002")
    grace = await house.login("+491700000002")
    with pytest.raises(Permanent, match="say which one"):
        house.files.load(None, Lane.LIVE)
    async with connect(house.config, house.files, Lane.LIVE, grace.account_id) as account:
        assert account.account == grace


async def test_a_damaged_session_file_says_to_log_in(house: House) -> None:
    account = await house.login()
    house.files.save(account.account_id, Lane.LIVE, "1not-a-session")
    with pytest.raises(Permanent, match=r"damaged.*face-archive login"):
        await house.open(Lane.LIVE)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_test_server_may_be_named_or_numbered(house: House, host: str) -> None:
    named = replace(house.config, server=(host, house.sandbox.port))
    await login(named, house.files, phone=PHONE, ask_code=right_code, ask_password=no_password)
    async with connect(named, house.files, Lane.LIVE) as account:
        assert account.account.account_id == house.me.id


def test_a_test_server_behind_ipv6_is_not_taken_for_telegram() -> None:
    client = build_client(TelegramConfig(1, "x", server=("::1", 4430)))
    assert (client.session.server_address, client._use_ipv6) == ("::1", True)


def test_a_test_server_without_an_address_is_a_passing_trouble() -> None:
    with pytest.raises(Transient, match="no address of"):
        build_client(TelegramConfig(1, "x", server=("no-such-host.invalid", 4430)))


async def test_a_logout_revokes_every_session(house: House) -> None:
    await house.login()
    ended = await logout(house.config, house.files)
    assert ended == [EndedSession(lane) for lane in Lane]
    assert house.sandbox.sessions_of(house.me) == 0
    assert house.files.accounts() == []


async def test_a_logout_forgets_what_telegram_ended_already(house: House) -> None:
    await house.login(lanes=[Lane.LIVE])
    house.sandbox.revoke_sessions(house.me)
    (ended,) = await logout(house.config, house.files)
    assert ended.still_alive is None
    assert house.files.accounts() == []


async def test_a_logout_without_telegram_forgets_the_sessions_and_names_them(
    house: House, unused_tcp_port: int
) -> None:
    await house.login(lanes=[Lane.LIVE])
    nowhere = replace(house.config, server=("127.0.0.1", unused_tcp_port))
    (ended,) = await logout(nowhere, house.files)
    assert ended.lane is Lane.LIVE
    assert "connection to Telegram" in (ended.still_alive or "")
    assert house.files.accounts() == []


# Two-factor, and codes that the app scans

GRACE_PHONE = "+491700000002"
PASSWORD = "correct horse"


@pytest.fixture
def grace(house: House) -> User:
    """An account with a two-factor password."""
    return house.scenario.user("Grace", phone=GRACE_PHONE, password=PASSWORD)


class Phone:
    """The app on a phone: accepts the login tokens that are shown to it."""

    def __init__(self, account: TelegramAccount) -> None:
        self.account = account
        self.links: list[str] = []
        self.scans: list[asyncio.Task[None]] = []

    def show(self, link: str) -> None:
        self.links.append(link)
        self.scans.append(asyncio.create_task(self.scan(link)))

    async def scan(self, link: str) -> None:
        text = link.removeprefix("tg://login?token=")
        token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        call = self.account.peers._call
        await call(functions.auth.AcceptLoginTokenRequest(token))


async def phone_of(house: House, phone: str, password: str) -> Phone:
    """Give an app that is logged in by itself, with files of its own."""
    files = SessionFiles(house.sessions_folder.with_name("phone"))
    await login(
        house.config,
        files,
        phone=phone,
        ask_code=right_code,
        ask_password=Answers(password),
        lanes=[Lane.LIVE],
    )
    return Phone(await house.stack.enter_async_context(connect(house.config, files, Lane.LIVE)))


async def test_one_code_and_one_password_make_a_session_for_every_lane(
    house: House, grace: User
) -> None:
    code, password = Answers("12345"), Answers("wrong", PASSWORD)
    await login(house.config, house.files, phone=GRACE_PHONE, ask_code=code, ask_password=password)
    assert house.sandbox.sessions_of(grace) == len(Lane)
    assert (code.waiting, password.waiting) == ([], [])

    # A restart: what is on disk is all there is.
    files = SessionFiles(house.sessions_folder)
    for lane in Lane:
        async with connect(house.config, files, lane) as account:
            assert account.account.account_id == grace.id
    assert house.asked("auth.sendCode") == 1


async def test_a_code_that_the_app_scans_makes_a_session_for_every_lane(
    house: House, grace: User
) -> None:
    phone = await phone_of(house, GRACE_PHONE, PASSWORD)
    codes = house.asked("auth.sendCode")
    account = await qr_login(
        house.config, house.files, show=phone.show, ask_password=Answers(PASSWORD)
    )
    assert account.account_id == grace.id
    assert len(phone.links) == 1
    assert house.sandbox.sessions_of(grace) == 1 + len(Lane)
    assert house.asked("auth.sendCode") == codes


async def test_a_second_scan_leaves_no_session_behind(house: House) -> None:
    phone = await phone_of(house, PHONE, "none")
    for _ in range(2):
        await qr_login(house.config, house.files, show=phone.show, ask_password=no_password)
    assert house.sandbox.sessions_of(house.me) == 1 + len(Lane)


async def test_a_code_that_nobody_scans_is_shown_anew_and_ends_the_login_at_last(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_SECONDS", 0.01)
    links: list[str] = []
    with pytest.raises(Permanent, match="face-archive login --qr"):
        await qr_login(house.config, house.files, show=links.append, ask_password=no_password)
    assert len(links) == len(set(links)) > 1
    assert house.files.accounts() == []


async def test_secrets_are_in_no_representation(house: House) -> None:
    await house.login()
    stored = house.files.load(None, Lane.LIVE)
    assert stored.secret not in repr(stored)
    assert house.config.api_hash not in repr(house.config)


async def test_a_server_that_is_not_there_is_a_passing_trouble(
    house: House, unused_tcp_port: int
) -> None:
    await house.login()
    nowhere = replace(house.config, server=("127.0.0.1", unused_tcp_port))
    with pytest.raises(Transient, match="connection to Telegram"):
        async with connect(nowhere, SessionFiles(house.sessions_folder), Lane.LIVE):
            pass
