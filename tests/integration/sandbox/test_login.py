"""Logging in with a code or a token, and being logged out."""

import asyncio
from typing import Any

import pytest
from telethon import errors, functions, types
from telethon.network import connection

from telegram_sandbox import Sandbox

from .story import Connect, Story, refused


async def test_a_client_logs_in_with_the_code(client: Any, sandbox: Sandbox, story: Story) -> None:
    me = await client.get_me()

    assert (me.id, me.first_name, me.phone) == (story.mia.id, "Mia", "15550001")
    assert sandbox.state.unknown_requests == []


async def test_a_wrong_code_is_refused(connect: Connect, story: Story) -> None:
    client = await connect()
    await client.send_code_request(story.mia.phone)

    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(story.mia.phone, "54321")


@pytest.mark.parametrize(
    "transport",
    [
        connection.ConnectionTcpFull,
        connection.ConnectionTcpIntermediate,
        connection.ConnectionTcpAbridged,
    ],
)
async def test_every_framing_carries_small_and_large_packets(
    connect: Connect, story: Story, transport: type
) -> None:
    client = await connect(story.mia, connection=transport)

    assert await client.upload_file(bytes(300_000))
    assert (await client.get_me()).id == story.mia.id


async def test_a_second_session_is_made_from_the_first_by_a_login_token(
    connect: Connect, client: Any, story: Story, sandbox: Sandbox
) -> None:
    second = await connect()
    shown = await second(functions.auth.ExportLoginTokenRequest(1, "hash", []))
    await client(functions.auth.AcceptLoginTokenRequest(shown.token))
    done = await second(functions.auth.ExportLoginTokenRequest(1, "hash", []))

    assert isinstance(done, types.auth.LoginTokenSuccess)
    assert (await second.get_me()).id == story.mia.id
    assert sandbox.sessions_of(story.mia) == 2


async def test_a_qr_login_ends_by_the_pushed_update(
    connect: Connect, client: Any, story: Story
) -> None:
    second = await connect(receive_updates=True)
    qr = await second.qr_login()
    waiting = asyncio.create_task(qr.wait(10))
    await asyncio.sleep(0)
    await client(functions.auth.AcceptLoginTokenRequest(qr.token))

    assert (await waiting).id == story.mia.id


async def test_a_token_is_accepted_once(connect: Connect, client: Any) -> None:
    second = await connect()
    shown = await second(functions.auth.ExportLoginTokenRequest(1, "hash", []))
    await client(functions.auth.AcceptLoginTokenRequest(shown.token))

    with refused("AUTH_TOKEN_ALREADY_ACCEPTED"):
        await client(functions.auth.AcceptLoginTokenRequest(shown.token))


async def test_a_revoked_session_is_unregistered(
    client: Any, sandbox: Sandbox, story: Story
) -> None:
    sandbox.revoke_sessions(story.mia)

    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(
            functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 1, 0, 0, 0)
        )


async def test_logging_out_ends_the_session(client: Any, sandbox: Sandbox, story: Story) -> None:
    await client.log_out()

    assert sandbox.sessions_of(story.mia) == 0


async def test_a_saved_session_connects_again_without_a_login(
    connect: Connect, client: Any, story: Story
) -> None:
    session = client.session
    await client.disconnect()
    again = await connect(session=session)

    assert (await again.get_me()).id == story.mia.id


async def test_a_new_salt_is_learnt_without_an_error(client: Any, sandbox: Sandbox) -> None:
    sandbox.change_salts()

    assert await client.get_me()


async def test_the_password_is_asked_for_where_there_is_one(
    connect: Connect, sandbox: Sandbox, story: Story
) -> None:
    story.ben.password = "swordfish"
    client = await connect()
    await client.send_code_request(story.ben.phone)
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in(story.ben.phone, "12345")
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="wrong")

    await client.sign_in(password="swordfish")

    assert (await client.get_me()).id == story.ben.id


async def test_the_configuration_names_both_addresses(client: Any, sandbox: Sandbox) -> None:
    config = await client(functions.help.GetConfigRequest())

    ports = {each.id: each.port for each in config.dc_options}
    assert ports == dict.fromkeys([1, 2, 3, 5], sandbox.port) | {4: sandbox.ports[4]}
    assert config.this_dc == 2


async def test_a_token_expires_and_another_takes_its_place(
    connect: Connect, client: Any, story: Story, sandbox: Sandbox
) -> None:
    second = await connect()
    export = functions.auth.ExportLoginTokenRequest(1, "hash", [])
    old = await second(export)
    sandbox.expire_login_tokens()

    with pytest.raises(errors.AuthTokenExpiredError):
        await client(functions.auth.AcceptLoginTokenRequest(old.token))
    with pytest.raises(errors.AuthTokenExpiredError):
        await second(functions.auth.ImportLoginTokenRequest(old.token))
    new = await second(export)
    await client(functions.auth.AcceptLoginTokenRequest(new.token))
    done = await second(functions.auth.ImportLoginTokenRequest(new.token))

    assert done.authorization.user.id == story.mia.id


async def test_a_login_by_token_asks_for_the_password_where_there_is_one(
    connect: Connect, story: Story
) -> None:
    first = await connect(story.ben)
    story.ben.password = "swordfish"
    second = await connect(receive_updates=True)
    qr = await second.qr_login()
    waiting = asyncio.create_task(qr.wait(10))
    await asyncio.sleep(0)
    await first(functions.auth.AcceptLoginTokenRequest(qr.token))

    with pytest.raises(errors.SessionPasswordNeededError):
        await waiting
    with pytest.raises(errors.PasswordHashInvalidError):
        await second.sign_in(password="wrong")
    await second.sign_in(password="swordfish")

    assert (await second.get_me()).id == story.ben.id
