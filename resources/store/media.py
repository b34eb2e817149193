"""The ledger of media: what each still needs, who works on it, and storing what became of it.

Implements ``archive.media_pass.MediaStore``; the statements are in ``media_sql``, contents and
faces in ``faces``. What a medium may have is not decided here.

Locks are always taken in one order, so that passes, switches and readings of history never wait
for each other in a circle: the model in use, chats, then a content, then media by id, then their
ledger rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from secrets import token_hex

from psycopg import Connection

from archive.faces.records import ModelRecord
from archive.ids import AccountId, ChatNo, MediaId
from archive.known_faces import KnownFace
from archive.ledger import FACE_PRODUCTS, ChatPolicy, Product, State
from archive.media_pass.records import (
    Claims,
    Commit,
    Committed,
    Kept,
    LedgerChange,
    ProductCount,
    Result,
    Setback,
    Surveyed,
)
from archive.records import MediaAccess
from archive.windows import Window
from resources.store import faces, ledger_changes, media_sql
from resources.store import media_rows as read
from resources.store.database import Database
from resources.store.locks import named_lock
from resources.store.merging import merge_ranged
from resources.store.model_in_use import require_in_use
from resources.store.pictures import write_pictures
from resources.store.searches import write_search
from resources.store.unseen_faces import without_vector


class MediaStore:
    """The media tables of one archive. Safe for many threads, like the pool behind it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def hold(self, window: Window, owner: str) -> Iterator[str]:
        """Hold the window by a lock that lives as long as a session of its own.

        Raises:
            Transient: Another pass holds it.
        """
        busy = "another run is working on this window"
        with named_lock(self._database, f"media window {window.key}", busy=busy):
            yield f"{read.lease_prefix(window)}{owner}/{token_hex(4)}"

    def ensure_model(self, model: ModelRecord) -> None:
        """Record a model before the first vector that names it."""
        with self._database.transaction() as connection:
            faces.ensure_model(connection, model)

    def policy(self, chat_no: ChatNo) -> ChatPolicy:
        """Read what the chat allows now."""
        with self._database.transaction() as connection:
            return read.policies(connection, [chat_no])[chat_no]

    def survey(self, window: Window) -> list[Surveyed]:
        """List the window's media, newest message first."""
        with self._database.transaction() as connection:
            return read.survey(connection, window)

    def enroll(self, changes: Sequence[LedgerChange]) -> None:
        """Write ledger rows; one that somebody changed meanwhile is left as it is."""
        with self._database.transaction() as connection:
            ledger_changes.enroll(connection, changes)

    def reopen(self, changes: Sequence[LedgerChange]) -> None:
        """Open rows that were made; one that somebody changed meanwhile is left as it is."""
        with self._database.transaction() as connection:
            ledger_changes.reopen(connection, changes)

    def claim(
        self,
        window: Window,
        account_id: AccountId,
        media_ids: Sequence[MediaId],
        producers: Mapping[Product, str],
        *,
        lease_owner: str,
        lease_seconds: float,
        now: datetime,
    ) -> Claims:
        """Take what is free and due of some media, and settle what needs no download."""
        values = {
            "account_id": account_id,
            "media_ids": list(media_ids),
            "products": list(producers),
            "producers": list(producers.values()),
            "lease_owner": lease_owner,
            "lease_seconds": lease_seconds,
            "window_prefix": read.lease_prefix(window),
            "now": now,
        }
        with self._database.transaction() as connection:
            policy = read.policies(connection, [window.chat_no])[window.chat_no]
            if not policy.archive:
                return Claims(policy, ())
            leased = {
                row["media_id"]: row["was_in_flight"]
                for row in read.rows(connection, media_sql.LEASE, values)
            }
            values["leased"] = list(leased)
            connection.execute(media_sql.ADOPT, values)
            connection.execute(media_sql.NOT_FAILED, (list(leased),))
            due = read.rows(connection, media_sql.DUE, values)
            settled = leased.keys() - {row["media_id"] for row in due}
            connection.execute(media_sql.LET_GO, (list(settled),))
        return Claims(
            policy,
            tuple(read.claimed(row, leased) for row in due if row["media_id"] in leased),
            tuple(row["media_id"] for row in due if row["media_id"] not in leased),
        )

    def without_vector(
        self, media_id: MediaId, sha256: bytes | None, model: str
    ) -> list[KnownFace]:
        """Give the faces of a medium that somebody decided about and a model has not embedded."""
        with self._database.transaction() as connection:
            return without_vector(connection, media_id, sha256, model)

    def renew(self, lease_owner: str, lease_seconds: float) -> None:
        """Hold on to everything this pass has claimed."""
        with self._database.transaction() as connection:
            connection.execute(media_sql.RENEW, (lease_seconds, lease_owner))

    def keep(self, chat_no: ChatNo, lease_owner: str, kept: Kept) -> Committed:
        """Store that a medium's file is kept, whatever else becomes of it."""
        original, product = kept.original, frozenset({Product.ORIGINALS})
        with self._database.transaction() as connection:
            refusal = _refusal(connection, chat_no, kept.media_id, product)
            if refusal is not None:
                return refusal
            key = faces.lock_bytes(connection, original.sha256)
            if not _own(connection, kept.media_id, lease_owner):
                return Committed.DROPPED
            faces.write_name(connection, key, original.sha256, original.size_bytes)
            merge_ranged(connection, kept.media_id, key)
            connection.execute(media_sql.NAME_MEDIUM, (key, kept.media_id))
            named = {"content_key": key, "original_key": original.key}
            connection.execute(media_sql.KEEP_ORIGINAL, named)
            _write_access(connection, chat_no, kept.access)
            _write_done(connection, kept.media_id, {Product.ORIGINALS: kept.producer})
            connection.execute(media_sql.NOT_FAILED, ([kept.media_id],))
            if kept.is_all:
                connection.execute(media_sql.LET_GO, ([kept.media_id],))
        return Committed.STORED

    def commit(self, chat_no: ChatNo, lease_owner: str, result: Result) -> Commit:
        """Store one result with its content, faces, vectors, ledger rows and access.

        Raises:
            Transient: Faces were looked for by a model that is not in use any more; nothing is
                stored.
        """
        with self._database.transaction() as connection:
            if result.model is not None and result.products & FACE_PRODUCTS:
                require_in_use(connection, result.model)
            refusal = _refusal(connection, chat_no, result.media_id, result.products)
            if refusal is not None:
                return Commit(refusal)
            key = faces.lock_content(connection, result.media_id, result.analysis.fingerprint)
            if not _own(connection, result.media_id, lease_owner):
                return Commit(Committed.DROPPED)
            faces.write_blob(connection, key, result.analysis.fingerprint)
            merge_ranged(connection, result.media_id, key)
            new_faces = 0
            if result.model is not None and _lacks_faces(connection, key, result):
                new_faces = faces.write_faces(
                    connection, key, result.model, result.analysis.faces, result.crop_keys
                )
                detector = result.producers[Product.FACES]
                write_search(connection, key, result.model, detector, result.analysis)
            if Product.THUMBNAILS in result.products:
                write_pictures(connection, key, result.analysis.pictures, result.picture_keys)
            connection.execute(media_sql.FINISH_MEDIUM, (key, result.media_id))
            _write_access(connection, chat_no, result.access)
            producers = {each: result.producers[each] for each in result.products}
            _write_done(connection, result.media_id, producers)
            connection.execute(media_sql.NOT_FAILED, ([result.media_id],))
        return Commit(Committed.STORED, new_faces)

    def set_back(self, lease_owner: str, setback: Setback) -> Committed:
        """Write why a medium has no result, and let it go."""
        products = sorted(setback.products)
        values = {
            "media_id": setback.media_id,
            "state": setback.state,
            "reason": setback.reason,
            "error": setback.error.replace("\0", ""),
            "failures": int(setback.state is State.FAILED),
            "retry_at": setback.retry_at,
            "products": products,
            "producers": [setback.producers[each] for each in products],
        }
        with self._database.transaction() as connection:
            if not _own(connection, setback.media_id, lease_owner):
                return Committed.DROPPED
            connection.execute(media_sql.SET_BACK, values)
            if setback.state is State.FAILED and setback.retry_at is None:
                connection.execute(media_sql.GIVE_UP, values)
            else:
                connection.execute(media_sql.NOT_FAILED, ([setback.media_id],))
            connection.execute(media_sql.LET_GO, ([setback.media_id],))
        return Committed.STORED

    def release(self, lease_owner: str) -> None:
        """Let go of everything this pass has claimed and not finished."""
        with self._database.transaction() as connection:
            connection.execute(media_sql.RELEASE, (lease_owner,))

    def tally(self, window: Window) -> list[ProductCount]:
        """Count where the window's media stand."""
        with self._database.transaction() as connection:
            return read.tally(connection, window)

    def blob_keys(self) -> set[str]:
        """List the key of every crop, small picture and original: what a sweep keeps."""
        with self._database.transaction() as connection:
            return {key for (key,) in connection.execute(media_sql.BLOB_KEYS)}


def _refusal(
    connection: Connection, chat_no: ChatNo, media_id: MediaId, products: Collection[Product]
) -> Committed | None:
    """Say why a result may not be stored; the switches cannot change until the commit."""
    values = {"chat_no": chat_no, "media_id": media_id}
    chats = read.rows(connection, media_sql.LOCK_CHATS, values)
    if not any(row["allow_archive"] for row in chats if row["chat_no"] == chat_no):
        return Committed.SWITCHED_OFF
    sources = [row for row in chats if row["is_source"] and row["allow_archive"]]
    if not sources:
        return Committed.DROPPED
    switches = {"allow_faces": FACE_PRODUCTS, "keep_originals": {Product.ORIGINALS}}
    for switch, theirs in switches.items():
        if theirs & set(products) and not any(row[switch] for row in sources):
            return Committed.SWITCHED_OFF
    return None


def _own(connection: Connection, media_id: MediaId, lease_owner: str) -> bool:
    """Keep the medium's row until the transaction ends, if the lease still is this pass's."""
    return connection.execute(media_sql.OWN, (media_id, lease_owner)).fetchone() is not None


def _lacks_faces(connection: Connection, key: str, result: Result) -> bool:
    """Whether nobody stored this content's faces and vectors by these producers."""
    wanted = result.products & FACE_PRODUCTS
    if not wanted:
        return False
    producers = [result.producers[each] for each in wanted]
    made = connection.execute(media_sql.MADE, (list(wanted), producers, key)).fetchall()
    return len(made) < len(wanted)


def _write_access(connection: Connection, chat_no: ChatNo, access: MediaAccess | None) -> None:
    # The file of an export has no key worth keeping, and nobody can post by it.
    if access is None or not access.file_reference:
        return
    values = {
        "chat_no": chat_no,
        "media_id": access.media_id,
        "access_hash": access.access_hash,
        "file_reference": access.file_reference,
    }
    connection.execute(media_sql.WRITE_ACCESS, values)


def _write_done(
    connection: Connection, media_id: MediaId, producers: Mapping[Product, str]
) -> None:
    values = {
        "media_id": media_id,
        "products": list(producers),
        "producers": list(producers.values()),
    }
    connection.execute(media_sql.DONE, values)
