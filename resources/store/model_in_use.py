"""Which model this archive uses: one row, and who may store vectors by it.

The row wins over the setting, which only says with which model an archive begins. Whoever stores
or compares vectors for good calls `require_in_use` in the transaction that does it: the row is
shared until its end, so a change of models waits for it, and whatever comes after the change sees
it. Bringing faces over to another model is `archive.migrating`, not this.

The row is locked before chats, contents, media and ledger rows, and after the lock of deciding
(`identity_events.deciding`): whoever takes several of them keeps to that order.
"""

from __future__ import annotations

from typing import Final

from psycopg import Connection

from archive.errors import Transient
from resources.store.database import Database

_AT_ONCE_SECONDS: Final = 1.0

_NAME: Final = "SELECT model FROM model_in_use"
_SHARE: Final = "SELECT model FROM model_in_use FOR SHARE"
_HOLD: Final = "SELECT model FROM model_in_use FOR UPDATE"

_BEGIN: Final = "INSERT INTO model_in_use (model) VALUES (%s) ON CONFLICT DO NOTHING"

_SWITCH: Final = """
INSERT INTO model_in_use (model) VALUES (%s)
ON CONFLICT (only_one) DO UPDATE SET model = EXCLUDED.model, since = now()
"""

# While another model was in use, nobody kept what was remembered of this one true.
_FORGET_BASIS: Final = "UPDATE gallery_basis SET basis = ''"


class ModelInUse:
    """The row, for whoever asks outside of a transaction of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def name(self) -> str | None:
        """Give the model in use; None before the first vector was stored."""
        with self._database.transaction() as connection:
            return _one(connection, _NAME)


def begin_with(connection: Connection, model: str) -> None:
    """Use a model from here on where none is in use yet; the transaction stores its vectors.

    Of two at once the second waits for the first, and then changes nothing: it must ask
    `require_in_use` afterwards.

    Args:
        connection: Of that transaction.
        model: Recorded already (`faces.ensure_model`).
    """
    connection.execute(_BEGIN, (model,))


def require_in_use(connection: Connection, model: str) -> None:
    """Let the transaction go on only with the model in use, which then stays until its end.

    An archive without vectors has none in use, and anything passes. A snapshot that only reads
    cannot call it: sharing a row counts as writing.

    Raises:
        Transient: Another is in use; whoever begins anew loads that one.
    """
    current = _one(connection, _SHARE)
    if current not in {None, model}:
        raise Transient(
            f"the model was changed meanwhile: {current} is in use, this worked with {model}. "
            f"Nothing of it was stored; run it again, and it begins anew with {current}.",
            _AT_ONCE_SECONDS,
        )


def hold(connection: Connection) -> str | None:
    """Keep everybody from storing or comparing vectors until the transaction ends.

    Waits for those who are about to. Where no row is there yet, nobody is kept.

    Returns:
        The model in use.
    """
    return _one(connection, _HOLD)


def switch(connection: Connection, model: str) -> None:
    """Use another model from the end of this transaction on.

    Args:
        connection: Of the transaction that makes sure that no face lacks its vector.
        model: Recorded already (`faces.ensure_model`).
    """
    hold(connection)
    connection.execute(_SWITCH, (model,))
    connection.execute(_FORGET_BASIS)


def _one(connection: Connection, statement: str) -> str | None:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None
