"""Logging in and out with a code.

Here belongs what binds a key to an account. Passwords and login tokens have modules of their own.
"""

import secrets
from typing import Any

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.records import User
from telegram_sandbox.registry import Context, handles
from telegram_sandbox.views import Views


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


@handles(functions.account.GetAuthorizationsRequest)
def get_authorizations(ctx: Context, request: Any) -> Any:
    """Lists the sessions of the account."""
    count = ctx.sandbox.sessions_of(ctx.account)
    return types.account.Authorizations(
        180, [authorization(ctx, current=index == 0) for index in range(count)]
    )


def authorization(ctx: Context, *, current: bool) -> Any:
    """Returns a session as an entry of the list of sessions."""
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
