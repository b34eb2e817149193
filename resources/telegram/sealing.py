"""Session files at rest: plain text, or sealed with the owner's passphrase.

Fernet (AES-128-CBC with HMAC-SHA256) under a key that scrypt makes of the passphrase: who gets the
files but not the passphrase has to guess it, slowly. Which files there are is ``sessions``.
"""

from __future__ import annotations

import base64
import os

from archive.errors import Permanent

SETTING = "FACE_ARCHIVE_SESSION_PASSPHRASE"

_MARK = "sealed:1"
_SALT_BYTES = 16

# OWASP's Password Storage Cheat Sheet: one of its equal choices, the one that takes 32 MiB.
_SCRYPT = {"length": 32, "n": 2**15, "r": 8, "p": 3}


class Seal:
    """What a passphrase does to a file's text.

    Args:
        passphrase: The owner's; ``None`` leaves the text as it is.
    """

    def __init__(self, passphrase: str | None) -> None:
        self._passphrase = passphrase
        self._salt = b""
        self._keys: dict[bytes, bytes] = {}

    @property
    def is_set(self) -> bool:
        """Whether there is a passphrase."""
        return self._passphrase is not None

    def close(self, text: str) -> str:
        """Seal a text, if there is a passphrase."""
        if self._passphrase is None:
            return text
        from cryptography.fernet import Fernet

        # One salt for the files that are written together: a key costs a quarter of a second.
        self._salt = self._salt or os.urandom(_SALT_BYTES)
        token = Fernet(self._key(self._passphrase, self._salt)).encrypt(text.encode("ascii"))
        return ":".join((_MARK, self._salt.hex(), token.decode("ascii")))

    def open(self, text: str) -> str:
        """Return a text as it was before it was sealed; a plain one as it is.

        Raises:
            Permanent: The passphrase is missing, or is another one.
        """
        if not is_sealed(text):
            return text
        if self._passphrase is None:
            raise Permanent(
                f"The sessions are protected by a passphrase: set {SETTING}. If it is lost, "
                "`face-archive logout` forgets them and says how to end them."
            )
        from cryptography.fernet import Fernet, InvalidToken

        try:
            salt, token = text.removeprefix(f"{_MARK}:").split(":")
            known = bytes.fromhex(salt)
            opened = Fernet(self._key(self._passphrase, known)).decrypt(token.encode("ascii"))
        except (InvalidToken, ValueError):
            # The cause is dropped: nothing in it helps a person.
            raise Permanent(
                f"{SETTING} is not the passphrase that protects the sessions: correct it. If it "
                "is lost, `face-archive logout` forgets them and says how to end them."
            ) from None
        self._salt = self._salt or known
        return opened.decode("ascii")

    def _key(self, passphrase: str, salt: bytes) -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        if salt not in self._keys:
            derived = Scrypt(salt=salt, **_SCRYPT).derive(passphrase.encode("utf-8"))
            self._keys[salt] = base64.urlsafe_b64encode(derived)
        return self._keys[salt]


def is_sealed(text: str) -> bool:
    """Whether a file's text can only be read with a passphrase."""
    return text.startswith(_MARK)
