"""Login tokens and exported authorizations: one session lets another in.

Here belong the QR login and the ticket for a further data centre.
Source: https://core.telegram.org/api/qr-login
"""

import secrets
from datetime import timedelta
from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.methods.accounts import DATA_CENTRES
from telegram_sandbox.methods.auth import authorization, bind, log_in
from telegram_sandbox.records import LoginToken
from telegram_sandbox.registry import Context, handles

TOKEN_LIFE: Final = timedelta(seconds=30)


def _live(ctx: Context, token: bytes) -> LoginToken | None:
    found = ctx.sandbox.login_tokens.get(token)
    return found if found is not None and found.expires > ctx.world.now() else None


@handles(functions.auth.ExportLoginTokenRequest, public=True)
def export_login_token(ctx: Context, request: Any) -> Any:
    """Gives out a token for a logged-in session to accept, or the login once one has."""
    key = ctx.session.key
    shown = _live(ctx, key.login_token or b"")
    ctx.sandbox.login_tokens.pop(key.login_token or b"", None)
    if shown is not None and shown.accepted is not None:
        return types.auth.LoginTokenSuccess(log_in(ctx, shown.accepted))
    key.login_token = secrets.token_bytes(16)
    made = ctx.sandbox.login_tokens[key.login_token] = LoginToken(ctx.world.now() + TOKEN_LIFE)
    return types.auth.LoginToken(made.expires, key.login_token)


@handles(functions.auth.AcceptLoginTokenRequest)
def accept_login_token(ctx: Context, request: Any) -> Any:
    """Lets the session that shows this token log in as the account."""
    if request.token not in ctx.sandbox.login_tokens:
        raise RpcRefusal("AUTH_TOKEN_INVALID")
    token = _live(ctx, request.token)
    if token is None:
        raise RpcRefusal("AUTH_TOKEN_EXPIRED")
    if token.accepted is not None:
        raise RpcRefusal("AUTH_TOKEN_ALREADY_ACCEPTED")
    token.accepted = ctx.account
    waiting = [
        session
        for key in ctx.sandbox.keys.values()
        if key.login_token == request.token
        for session in key.sessions.values()
    ]
    update = types.UpdateShort(types.UpdateLoginToken(), ctx.world.now())
    ctx.sandbox.pushes.to_sessions(waiting, update)
    return authorization(ctx, current=False)


@handles(functions.auth.ImportLoginTokenRequest, public=True)
def import_login_token(ctx: Context, request: Any) -> Any:
    """Logs in with an accepted token."""
    token = _live(ctx, request.token)
    if token is None:
        raise RpcRefusal("AUTH_TOKEN_EXPIRED")
    if token.accepted is None:
        return types.auth.LoginToken(token.expires, request.token)
    del ctx.sandbox.login_tokens[request.token]
    return types.auth.LoginTokenSuccess(log_in(ctx, token.accepted))


@handles(functions.auth.ExportAuthorizationRequest)
def export_authorization(ctx: Context, request: Any) -> Any:
    """Gives out a ticket by which a key of another data centre becomes the account's."""
    # With one address only, it is every data centre, and a ticket for any of them holds here.
    here = request.dc_id == ctx.dc and len(ctx.sandbox.ports) > 1
    if here or request.dc_id not in DATA_CENTRES:
        raise RpcRefusal("DC_ID_INVALID")
    ticket = secrets.token_bytes(32)
    ctx.sandbox.tickets[ticket] = (ctx.account, request.dc_id)
    return types.auth.ExportedAuthorization(ctx.account.id, ticket)


@handles(functions.auth.ImportAuthorizationRequest, public=True)
def import_authorization(ctx: Context, request: Any) -> Any:
    """Takes such a ticket, once, where it is for."""
    user, dc = ctx.sandbox.tickets.pop(request.bytes, (None, 0))
    # A data centre without an address of its own is this one too.
    if user is None or user.id != request.id or ctx.sandbox.place_of(dc) != ctx.dc:
        raise RpcRefusal("AUTH_BYTES_INVALID")
    return bind(ctx, user)
