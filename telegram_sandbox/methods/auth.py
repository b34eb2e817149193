"""Logging in and out: phone codes, login tokens, exported authorizations.

Here belongs what binds a key to an account. Passwords have a module of their own.
"""

import secrets
from datetime import timedelta
from typing import Any

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.records import User
from telegram_sandbox.registry import Context, handles
from telegram_sandbox.views import Views

TOKEN_LIFE = timedelta(seconds=30)


def log_in(ctx: Context, user: User) -> Any:
    """Binds the key to the account; returns the authorization.

    Raises:
        RpcRefusal: SESSION_PASSWORD_NEEDED when the account has a password.
    """
    if user.password is not None:
        ctx.session.key.password_pending = user
        raise RpcRefusal("SESSION_PASSWORD_NEEDED")
    return bind(ctx, user)


def bind(ctx: Context, user: User) -> Any:
    """Binds the key to the account without asking for more."""
    ctx.session.key.user = user
    ctx.session.key.password_pending = None
    return types.auth.Authorization(user=Views(ctx.world, user).user(user))


def account_of(ctx: Context, phone: str) -> User | None:
    """Returns the account of a phone number, written with or without the plus."""
    digits = phone.lstrip("+")
    if not digits.isdigit():
        raise RpcRefusal("PHONE_NUMBER_INVALID")
    return next(
        (u for u in ctx.world.users.values() if u.phone and u.phone.lstrip("+") == digits), None
    )


@handles(functions.auth.SendCodeRequest, public=True)
def send_code(ctx: Context, request: Any) -> Any:
    """Answers as if a code had gone to the other devices."""
    account_of(ctx, request.phone_number)
    phone_code_hash = secrets.token_hex(9)
    ctx.sandbox.login_hashes[phone_code_hash] = request.phone_number.lstrip("+")
    code_type = types.auth.SentCodeTypeApp(length=len(ctx.sandbox.login_code))
    return types.auth.SentCode(type=code_type, phone_code_hash=phone_code_hash)


@handles(functions.auth.ResendCodeRequest, public=True)
def resend_code(ctx: Context, request: Any) -> Any:
    """Sends the code again: the same one."""
    return send_code(ctx, request)


@handles(functions.auth.CancelCodeRequest, public=True)
def cancel_code(ctx: Context, request: Any) -> bool:
    """Forgets a code."""
    return ctx.sandbox.login_hashes.pop(request.phone_code_hash, None) is not None


@handles(functions.auth.SignInRequest, public=True)
def sign_in(ctx: Context, request: Any) -> Any:
    """Logs in with the code of the scenario."""
    hashes = ctx.sandbox.login_hashes
    if hashes.get(request.phone_code_hash) != request.phone_number.lstrip("+"):
        raise RpcRefusal("PHONE_CODE_EXPIRED")
    if not request.phone_code:
        raise RpcRefusal("PHONE_CODE_EMPTY")
    if request.phone_code != ctx.sandbox.login_code:
        raise RpcRefusal("PHONE_CODE_INVALID")
    user = account_of(ctx, request.phone_number)
    if user is None:
        return types.auth.AuthorizationSignUpRequired()
    del hashes[request.phone_code_hash]
    return log_in(ctx, user)


@handles(functions.auth.LogOutRequest, public=True)
def log_out(ctx: Context, request: Any) -> Any:
    """Unbinds the key."""
    ctx.session.key.user = None
    return types.auth.LoggedOut()


@handles(functions.auth.ExportLoginTokenRequest, public=True)
def export_login_token(ctx: Context, request: Any) -> Any:
    """Gives out a token for a logged-in session to accept, or the login once one has."""
    key = ctx.session.key
    accepted = ctx.sandbox.login_tokens.get(key.login_token or b"")
    if accepted is not None:
        ctx.sandbox.login_tokens.pop(key.login_token or b"")
        return types.auth.LoginTokenSuccess(log_in(ctx, accepted))
    ctx.sandbox.login_tokens.pop(key.login_token or b"", None)
    key.login_token = secrets.token_bytes(16)
    ctx.sandbox.login_tokens[key.login_token] = None
    return types.auth.LoginToken(ctx.world.now() + TOKEN_LIFE, key.login_token)


@handles(functions.auth.AcceptLoginTokenRequest)
def accept_login_token(ctx: Context, request: Any) -> Any:
    """Lets the session that shows this token log in as the account."""
    tokens = ctx.sandbox.login_tokens
    if request.token not in tokens:
        raise RpcRefusal("AUTH_TOKEN_INVALID")
    if tokens[request.token] is not None:
        raise RpcRefusal("AUTH_TOKEN_ALREADY_ACCEPTED")
    tokens[request.token] = ctx.account
    waiting = [
        session
        for key in ctx.sandbox.keys.values()
        if key.login_token == request.token
        for session in key.sessions.values()
    ]
    update = types.UpdateShort(types.UpdateLoginToken(), ctx.world.now())
    ctx.sandbox.push_to(waiting, update)
    return _authorization(ctx, current=False)


@handles(functions.auth.ImportLoginTokenRequest, public=True)
def import_login_token(ctx: Context, request: Any) -> Any:
    """Logs in with an accepted token."""
    if request.token not in ctx.sandbox.login_tokens:
        raise RpcRefusal("AUTH_TOKEN_EXPIRED")
    accepted = ctx.sandbox.login_tokens[request.token]
    if accepted is None:
        return types.auth.LoginToken(ctx.world.now() + TOKEN_LIFE, request.token)
    del ctx.sandbox.login_tokens[request.token]
    return types.auth.LoginTokenSuccess(log_in(ctx, accepted))


@handles(functions.auth.ExportAuthorizationRequest)
def export_authorization(ctx: Context, request: Any) -> Any:
    """Gives out a ticket by which a key of another data centre becomes the account's."""
    ticket = secrets.token_bytes(32)
    ctx.sandbox.login_tokens[ticket] = ctx.account
    return types.auth.ExportedAuthorization(ctx.account.id, ticket)


@handles(functions.auth.ImportAuthorizationRequest, public=True)
def import_authorization(ctx: Context, request: Any) -> Any:
    """Takes such a ticket."""
    user = ctx.sandbox.login_tokens.pop(request.bytes, None)
    if user is None or user.id != request.id:
        raise RpcRefusal("AUTH_BYTES_INVALID")
    return bind(ctx, user)


@handles(functions.account.GetAuthorizationsRequest)
def get_authorizations(ctx: Context, request: Any) -> Any:
    """Lists the sessions of the account."""
    count = ctx.sandbox.sessions_of(ctx.account)
    return types.account.Authorizations(
        180, [_authorization(ctx, current=index == 0) for index in range(count)]
    )


def _authorization(ctx: Context, *, current: bool) -> Any:
    now = ctx.world.now()
    return types.Authorization(
        hash=0 if current else 1,
        device_model="",
        platform="",
        system_version="",
        api_id=1,
        app_name="",
        app_version="",
        date_created=now,
        date_active=now,
        ip=ctx.sandbox.host,
        country="",
        region="",
        current=current or None,
    )
