"""Two-factor passwords: the server's half of Telegram's SRP.

Here belongs proving that a client knows the password; the login that follows is `auth`'s.
Source: https://core.telegram.org/api/srp
"""

import secrets
from dataclasses import dataclass
from hashlib import pbkdf2_hmac, sha256
from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.handshake import DH_GENERATOR, DH_PRIME
from telegram_sandbox.methods.auth import bind
from telegram_sandbox.records import User
from telegram_sandbox.registry import Context, handles

ITERATIONS: Final = 100_000
_P: Final = DH_PRIME.to_bytes(256, "big")
_G: Final = DH_GENERATOR.to_bytes(256, "big")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One question to a client: what the server drew, and what it knows of the password."""

    user: User
    secret: int
    public: int
    verifier: int
    salt1: bytes
    salt2: bytes


def _hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _challenge(user: User) -> Challenge:
    salt1, salt2 = secrets.token_bytes(16), secrets.token_bytes(16)
    inner = _hash(salt2, _hash(salt1, (user.password or "").encode(), salt1), salt2)
    stretched = pbkdf2_hmac("sha512", inner, salt1, ITERATIONS)
    verifier = pow(DH_GENERATOR, _number(_hash(salt2, stretched, salt2)), DH_PRIME)
    secret = _number(secrets.token_bytes(256))
    multiplier = _number(_hash(_P, _G))
    public = (multiplier * verifier + pow(DH_GENERATOR, secret, DH_PRIME)) % DH_PRIME
    return Challenge(user, secret, public, verifier, salt1, salt2)


def _proof(challenge: Challenge, client_public: bytes) -> bytes:
    server_public = challenge.public.to_bytes(256, "big")
    u = _number(_hash(client_public, server_public))
    base = _number(client_public) * pow(challenge.verifier, u, DH_PRIME) % DH_PRIME
    key = _hash(pow(base, challenge.secret, DH_PRIME).to_bytes(256, "big"))
    mixed = bytes(a ^ b for a, b in zip(_hash(_P), _hash(_G), strict=True))
    return _hash(
        mixed, _hash(challenge.salt1), _hash(challenge.salt2), client_public, server_public, key
    )


@handles(functions.account.GetPasswordRequest, public=True)
def get_password(ctx: Context, request: Any) -> Any:
    """Puts the question that a password answers, or says that there is none."""
    key = ctx.session.key
    user = key.password_pending or ctx.account
    new = types.PasswordKdfAlgoUnknown()
    common = {
        "new_algo": new,
        "new_secure_algo": types.SecurePasswordKdfAlgoUnknown(),
        "secure_random": secrets.token_bytes(16),
    }
    if user.password is None:
        return types.account.Password(**common)
    challenge = _challenge(user)
    number = secrets.randbelow(2**62)
    ctx.sandbox.password_challenges[number] = challenge
    algorithm = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        challenge.salt1, challenge.salt2, DH_GENERATOR, _P
    )
    return types.account.Password(
        has_password=True,
        current_algo=algorithm,
        srp_B=challenge.public.to_bytes(256, "big"),
        srp_id=number,
        **common,
    )


@handles(functions.auth.CheckPasswordRequest, public=True)
def check_password(ctx: Context, request: Any) -> Any:
    """Finishes the login of an account with a password."""
    given = request.password
    if isinstance(given, types.InputCheckPasswordEmpty):
        raise RpcRefusal("PASSWORD_HASH_INVALID")
    challenge: Challenge | None = ctx.sandbox.password_challenges.pop(given.srp_id, None)
    if challenge is None:
        raise RpcRefusal("SRP_ID_INVALID")
    if challenge.user is not ctx.session.key.password_pending:
        raise RpcRefusal("AUTH_KEY_UNREGISTERED")
    if _proof(challenge, given.A) != given.M1:
        raise RpcRefusal("PASSWORD_HASH_INVALID")
    return bind(ctx, challenge.user)
