"""Writes what the rooms before publishing would have written: chats, media, faces, people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from archive.ids import ChatNo
from archive.records import ChatKind
from resources.store.database import Database

START = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = 7


def key(number: int) -> str:
    return f"sha256:{number:064x}"


@dataclass
class Rows:
    """A store being filled; numbers name contents and people."""

    database: Database
    account_id: int = ACCOUNT
    _faces: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.run("INSERT INTO accounts VALUES (%s, 'Ada') ON CONFLICT DO NOTHING", self.account_id)
        self.run(
            "INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds) "
            "VALUES ('m', 'dlib', 'CC0', true, 2, '{}')"
        )

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.database.transaction() as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def chat(
        self,
        number: int,
        title: str = "Family",
        *,
        kind: ChatKind = ChatKind.SUPERGROUP,
        chat_id: int | None = None,
        access_hash: int | None = 1,
        publish: bool = True,
        is_hub: bool = False,
        noforwards: bool = False,
    ) -> ChatNo:
        own = kind in {ChatKind.SUPERGROUP, ChatKind.CHANNEL}
        self.run(
            "INSERT INTO chats (chat_no, chat_id, account_id, kind, id_space, title, is_forum, "
            "noforwards, allow_archive, allow_faces, allow_publish, is_hub) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            number,
            chat_id or -1_000_000_000_000 - number,
            self.account_id,
            kind,
            "own" if own else "account",
            title,
            is_hub,
            noforwards,
            not is_hub,
            not is_hub,
            publish and not is_hub,
            is_hub,
        )
        self.run(
            "INSERT INTO account_chats (account_id, chat_no, access_hash) VALUES (%s, %s, %s)",
            self.account_id,
            number,
            access_hash,
        )
        return ChatNo(number)

    def content(
        self, number: int, *, phash: int | None = None, duration: float | None = None
    ) -> None:
        self.run(
            "INSERT INTO blobs (content_key, phash, duration_seconds, size_bytes) "
            "VALUES (%s, %s, %s, 1) ON CONFLICT DO NOTHING",
            key(number),
            phash,
            duration,
        )

    def message(
        self,
        number: int,
        message_id: int,
        *,
        chat_no: int = 1,
        media_id: str | None = None,
        access: tuple[int, bytes] | None = (1, b"reference"),
        kind: str = "photo",
        variant: str = "y",
        raw: str = "{}",
    ) -> None:
        """One message that carries a content; a content of its own file unless one is named."""
        media_id = media_id or f"photo:{number}"
        self.run(
            "INSERT INTO messages (chat_no, message_id, kind, sent_at, raw) "
            "VALUES (%s, %s, 'media', %s, %s)",
            chat_no,
            message_id,
            START + timedelta(days=message_id),
            raw,
        )
        self.run(
            "INSERT INTO media (media_id, kind, variant, content_key, size_bytes) "
            "VALUES (%s, %s, %s, %s, 1) ON CONFLICT DO NOTHING",
            media_id,
            kind,
            variant,
            key(number),
        )
        self.run("INSERT INTO message_media VALUES (%s, %s, %s)", chat_no, message_id, media_id)
        if access is not None:
            self.run(
                "INSERT INTO media_access (account_id, media_id, access_hash, file_reference) "
                "VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                self.account_id,
                media_id,
                *access,
            )

    def person(self, number: int, label: str | None = None, state: str = "visible") -> UUID:
        identity_id = UUID(int=number)
        self.run(
            "INSERT INTO identities (identity_id, number, model, label, state) "
            "VALUES (%s, %s, 'm', %s, %s)",
            identity_id,
            number,
            label,
            state,
        )
        return identity_id

    def face(self, content: int, person: int | None, *, seconds: float = 0.0) -> UUID:
        """A face in a content; of nobody where nobody is named."""
        face = next(self._faces)
        self.run(
            "INSERT INTO faces (face_id, content_key, frame_seconds, x1, y1, x2, y2, landmarks, "
            "landmark_schema, detection_score, quality, model, crop_key) "
            "VALUES (%s, %s, %s, %s, 0, %s, 10, '{}', 's', 1, 1, 'm', 'k')",
            UUID(int=face),
            key(content),
            seconds,
            face,
            face + 10,
        )
        if person is None:
            return UUID(int=face)
        self.run(
            "INSERT INTO assignments (face_id, identity_id, similarity, decided_by) "
            "VALUES (%s, %s, 1, 'matcher')",
            UUID(int=face),
            UUID(int=person),
        )
        return UUID(int=face)

    def shown(self, number: int, person: int, *, phash: int | None = None) -> None:
        """A photo in chat 1 that shows one person."""
        self.content(number, phash=phash)
        self.message(number, number)
        self.face(number, person)
