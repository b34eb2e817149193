"""Where the sessions of the accounts lie, with their keys, and which lanes an account has.

A session is a secret as good as the account itself: files of mode 0600, written in one step,
whose content is never shown, and sealed where the owner set a passphrase (``sealing``). Not here:
making sessions (``login``) and using them (``client``).
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from archive.errors import Permanent
from archive.ids import AccountId
from resources.settings import Settings
from resources.telegram.sealing import SETTING, Seal, is_sealed

_SUFFIX = ".session"
_FILE_KEY_SUFFIX = ".key"


class Lane(StrEnum):
    """What a connection of an account is for; each lane has a session of its own.

    Two processes on one session confuse each other's message numbers and updates, and Telegram
    may revoke it (``AUTH_KEY_DUPLICATED``). So a session has one owner: the listener, which runs
    all the time; a live run; a backfill run; publishing. The store's advisory lock per account
    and lane sees to it.
    """

    LISTENER = "listener"
    LIVE = "live"
    BACKFILL = "backfill"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One session as it lies on disk."""

    account_id: AccountId
    lane: Lane
    secret: str = field(repr=False)


class SessionFiles:
    """The sessions in one folder: ``<account_id>.<lane>.session``.

    Beside each, ``….dc<number>.key``: its keys of data centres that hold files. They end with it.

    Args:
        folder: Made with mode 0700 when the first session is written.
        seal: The owner's passphrase, if one is set.
    """

    def __init__(self, folder: Path, seal: Seal | None = None) -> None:
        self._folder = folder
        self._seal = seal or Seal(None)

    def accounts(self) -> list[AccountId]:
        """Return the accounts that have at least one session, in ascending order."""
        stems = (path.name.partition(".")[0] for path in self._folder.glob(f"*.*{_SUFFIX}"))
        return sorted({AccountId(int(stem)) for stem in stems if stem.isdecimal()})

    def chosen(self, account_id: AccountId | None) -> AccountId:
        """Return the account that is meant: the named one, else the only one there is.

        Raises:
            Permanent: None is logged in, or several are and none was named.
        """
        if account_id is not None:
            return account_id
        accounts = self.accounts()
        if not accounts:
            raise Permanent("No account is logged in: run `face-archive login`.")
        if len(accounts) > 1:
            names = ", ".join(map(str, accounts))
            raise Permanent(f"Several accounts are logged in ({names}): say which one.")
        return accounts[0]

    def load(self, account_id: AccountId | None, lane: Lane) -> StoredSession:
        """Read a session.

        Args:
            account_id: Whose; ``None`` for the only account there is.
            lane: For which kind of work.

        Raises:
            Permanent: There is none, no account was named and there are several, or the file is
                open to others or to nobody without the passphrase.
        """
        account_id = self.chosen(account_id)
        try:
            secret = self._read(self._path(account_id, lane))
        except FileNotFoundError:
            raise Permanent(
                f"The account is not logged in for {lane}: run `face-archive login`."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise Permanent(
                f"The account's session for {lane} cannot be read "
                f"({type(error).__name__}): run `face-archive login`."
            ) from error
        return StoredSession(account_id, lane, secret)

    def find(self, account_id: AccountId, lane: Lane) -> StoredSession | None:
        """Read a session that may not be there."""
        return self.load(account_id, lane) if self.has(account_id, lane) else None

    def has(self, account_id: AccountId, lane: Lane) -> bool:
        """Whether there is a session, readable or not."""
        return self._path(account_id, lane).exists()

    def save(self, account_id: AccountId, lane: Lane, secret: str) -> None:
        """Write a session: the old one or the new one is on disk at any time, never a part."""
        self._forget_file_keys(account_id, lane)
        self._write(self._path(account_id, lane), secret)

    def remove(self, account_id: AccountId, lane: Lane) -> None:
        """Forget a session."""
        self._forget_file_keys(account_id, lane)
        self._path(account_id, lane).unlink(missing_ok=True)

    def load_file_key(self, account_id: AccountId, lane: Lane, dc_id: int) -> bytes | None:
        """Read a session's key of another data centre; ``None`` if there is none to be used."""
        try:
            return bytes.fromhex(self._read(self._file_key_path(account_id, lane, dc_id))) or None
        except (OSError, ValueError, Permanent):
            # Making another one costs a request; nothing else is lost.
            return None

    def save_file_key(self, account_id: AccountId, lane: Lane, dc_id: int, key: bytes) -> None:
        """Keep a session's key of another data centre."""
        self._write(self._file_key_path(account_id, lane, dc_id), key.hex())

    def forget_file_key(self, account_id: AccountId, lane: Lane, dc_id: int) -> None:
        """Drop a key that its data centre no longer knows."""
        self._file_key_path(account_id, lane, dc_id).unlink(missing_ok=True)

    def protect(self) -> int:
        """Seal every file that is not sealed yet; return how many.

        Raises:
            Permanent: No passphrase is set.
        """
        if not self._seal.is_set:
            raise Permanent(f"Set {SETTING} in .env first: with it the sessions are protected.")
        plain = {path: text for path, text in self._texts() if not is_sealed(text)}
        for path, text in plain.items():
            self._write(path, text)
        return len(plain)

    def unprotect(self) -> int:
        """Take the seal off every file; return how many.

        Raises:
            Permanent: The passphrase is missing or is another one; nothing was changed.
        """
        opened = {path: self._seal.open(text) for path, text in self._texts() if is_sealed(text)}
        for path, text in opened.items():
            self._replace(path, text)
        return len(opened)

    def _texts(self) -> Iterator[tuple[Path, str]]:
        for path in sorted(self._folder.glob("*.*")):
            if path.suffix in {_SUFFIX, _FILE_KEY_SUFFIX}:
                yield path, path.read_text(encoding="ascii").strip()

    def _read(self, path: Path) -> str:
        """Read a file that only its owner may read, and that is as protected as was asked for."""
        text = path.read_text(encoding="ascii").strip()
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Permanent(
                f"Others on this machine may read {path} (mode {mode:04o}): run `chmod 600` on it. "
                "If somebody may have done so, end the session in Telegram → Settings → Devices "
                "and run `face-archive login`."
            )
        if self._seal.is_set and not is_sealed(text):
            raise Permanent(
                f"{SETTING} is set, but the sessions are not protected by it yet: run "
                "`face-archive accounts protect`."
            )
        return self._seal.open(text)

    def _forget_file_keys(self, account_id: AccountId, lane: Lane) -> None:
        for path in self._folder.glob(f"{account_id}.{lane}.dc*{_FILE_KEY_SUFFIX}"):
            path.unlink(missing_ok=True)

    def _write(self, path: Path, text: str) -> None:
        self._replace(path, self._seal.close(text))

    def _replace(self, path: Path, text: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp gives mode 0600.
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _file_key_path(self, account_id: AccountId, lane: Lane, dc_id: int) -> Path:
        return self._folder / f"{account_id}.{lane}.dc{dc_id}{_FILE_KEY_SUFFIX}"

    def _path(self, account_id: AccountId, lane: Lane) -> Path:
        return self._folder / f"{account_id}.{lane}{_SUFFIX}"


def session_files(settings: Settings) -> SessionFiles:
    """Return the sessions of an installation, with the passphrase that its settings name."""
    secret = settings.session_passphrase
    seal = Seal(secret.get_secret_value() if secret else None)
    return SessionFiles(settings.data_dir / "sessions", seal)
