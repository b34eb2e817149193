"""The key exchange: from a plain request to a shared authorization key.

Here belong the server's RSA key, the Diffie-Hellman constants and the three plain steps
(req_pq_multi, req_DH_params, set_client_DH_params). Encrypted messages do not belong here.

Source: https://core.telegram.org/mtproto/auth_key
"""

import secrets
import struct
import time
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

import rsa
from telethon.crypto import AES, AuthKey
from telethon.crypto.rsa import get_byte_array
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

# A key pair that protects nothing: it is published here, and guards made-up chats on loopback.
_RSA_P = int(
    "ee11f56bd77eac5ec0be5048a29686691cff237a787b26177accef0b1e4989b786a5f7971e48980fd98e6462bd"
    "50597c73174eb8c637edac5ab7ab02e2291fcab22b01f685ca9b90dcaf34c5f7c28401772011fb46e2c17386eb"
    "bead82593d8e044080c83675ac3ece9e777abc4377003336bdb3f9ce5523da957d165425448b",
    16,
)
_RSA_Q = int(
    "ea0795c5638fc88512c1eee74a7f5c74f642d26bf5f06d3cfba5342b25e6843d16323d5ed4110a7b91091c58d0"
    "228fea06e0e6a7e37fff31b984752fa75efd91a2e95d662f2af48a59e929d0ff83052c1859cd0af3f07de884f8"
    "46f53be231ada538b7487716abc9ee77ee8cd4f08e56867329b5ad315cae0e77cf60c427649f",
    16,
)
_RSA_E = 65537
_RSA_N = _RSA_P * _RSA_Q
_RSA_D = pow(_RSA_E, -1, (_RSA_P - 1) * (_RSA_Q - 1))
_SECRET_BYTES = 32  # enough for a key that guards nothing, and eight times faster than 256

# The safe prime of Telegram's own servers, with its generator.
DH_PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D225"
    "30F4DBFA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F1"
    "8FAF8C595F642477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A69581105190"
    "7E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC4"
    "65B0D6FF9CA3928FEF5B9AE4E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D"
    "8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
DH_GENERATOR = 3

# Two small primes: the factorisation proves nothing here, so the client finds it at once.
_PQ = 40961 * 50021

PUBLIC_KEY_PEM: str = rsa.PublicKey(_RSA_N, _RSA_E).save_pkcs1().decode("ascii")
"""The server's public key as the PEM text that `telethon.crypto.rsa.add_key` takes."""


class HandshakeError(ConnectionError):
    """The client broke the key exchange; the connection is closed."""


def _fingerprint() -> int:
    n = types.TLObject.serialize_bytes(get_byte_array(_RSA_N))
    e = types.TLObject.serialize_bytes(get_byte_array(_RSA_E))
    value: int = struct.unpack("<q", sha1(n + e, usedforsecurity=False).digest()[-8:])[0]
    return value


def _rsa_decrypt(cipher: int) -> int:
    # By the Chinese remainder theorem: four times faster than one power modulo n.
    by_p = pow(cipher, _RSA_D % (_RSA_P - 1), _RSA_P)
    by_q = pow(cipher, _RSA_D % (_RSA_Q - 1), _RSA_Q)
    step = (by_p - by_q) * pow(_RSA_Q, -1, _RSA_P) % _RSA_P
    return by_q + step * _RSA_Q


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a finished exchange yields: the key, and the salt both sides start with."""

    auth_key: Any
    salt: int


class Handshake:
    """One client's key exchange, driven by the connection that received its plain requests."""

    def __init__(self) -> None:
        """Draws the server's nonce and its half of the Diffie-Hellman exchange."""
        self._server_nonce = int.from_bytes(secrets.token_bytes(16), "little", signed=True)
        self._secret = int.from_bytes(secrets.token_bytes(_SECRET_BYTES), "big")
        self._new_nonce = 0
        self.result: NewKey | None = None

    def answer(self, request: Any) -> Any:
        """Returns the answer to one plain request; sets `result` after the last.

        Raises:
            HandshakeError: the request is none of the exchange, or does not fit it.
        """
        if isinstance(request, functions.ReqPqMultiRequest | functions.ReqPqRequest):
            return types.ResPQ(
                nonce=request.nonce,
                server_nonce=self._server_nonce,
                pq=get_byte_array(_PQ),
                server_public_key_fingerprints=[_fingerprint()],
            )
        if isinstance(request, functions.ReqDHParamsRequest):
            return self._dh_params(request)
        if isinstance(request, functions.SetClientDHParamsRequest):
            return self._finish(request)
        raise HandshakeError(f"not a plain request: {type(request).__name__}")

    def _dh_params(self, request: Any) -> Any:
        cipher = int.from_bytes(request.encrypted_data, "big")
        plain = _rsa_decrypt(cipher).to_bytes(256, "big")[-255:]
        inner = BinaryReader(plain[20:]).tgread_object()
        if not isinstance(inner, types.PQInnerData | types.PQInnerDataDc):
            raise HandshakeError("encrypted_data holds no pq_inner_data")
        if sha1(bytes(inner), usedforsecurity=False).digest() != plain[:20]:
            raise HandshakeError("pq_inner_data does not match its hash")
        self._new_nonce = inner.new_nonce
        answer = bytes(
            types.ServerDHInnerData(
                nonce=request.nonce,
                server_nonce=self._server_nonce,
                g=DH_GENERATOR,
                dh_prime=get_byte_array(DH_PRIME),
                g_a=pow(DH_GENERATOR, self._secret, DH_PRIME).to_bytes(256, "big"),
                server_time=int(time.time()),
            )
        )
        hashed = sha1(answer, usedforsecurity=False).digest() + answer
        key, iv = generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        padded = hashed + secrets.token_bytes(-len(hashed) % 16)
        return types.ServerDHParamsOk(
            nonce=request.nonce,
            server_nonce=self._server_nonce,
            encrypted_answer=AES.encrypt_ige(padded, key, iv),
        )

    def _finish(self, request: Any) -> Any:
        key, iv = generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        plain = AES.decrypt_ige(request.encrypted_data, key, iv)
        inner = BinaryReader(plain[20:]).tgread_object()
        if not isinstance(inner, types.ClientDHInnerData):
            raise HandshakeError("encrypted_data holds no client_DH_inner_data")
        shared = pow(int.from_bytes(inner.g_b, "big"), self._secret, DH_PRIME)
        auth_key = AuthKey(get_byte_array(shared))
        nonces = (
            self._new_nonce.to_bytes(32, "little", signed=True)[:8],
            self._server_nonce.to_bytes(16, "little", signed=True)[:8],
        )
        salt = int.from_bytes(
            bytes(a ^ b for a, b in zip(*nonces, strict=True)), "little", signed=True
        )
        self.result = NewKey(auth_key, salt)
        return types.DhGenOk(
            nonce=request.nonce,
            server_nonce=self._server_nonce,
            new_nonce_hash1=auth_key.calc_new_nonce_hash(self._new_nonce, 1),
        )
