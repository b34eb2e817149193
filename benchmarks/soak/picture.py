"""What an archive holds of Telegram, said so that two archives of one story are equal or not.

Surrogate numbers, times of our own and what names a file today (its reference, its data centre)
are left out. ``truth`` says the same of the chats themselves, as far as it can be seen there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row

from benchmarks.soak.story import Story
from resources.store.database import Database
from telegram_sandbox import Message

Picture = Mapping[str, frozenset[str]]
"""Rows as text, by what they are about."""

_CHANGING: Final = frozenset({"file_reference", "dc_id"})

_QUESTIONS: Final[dict[str, LiteralString]] = {
    "chats": """
        SELECT chats.chat_id, chats.kind, chats.title, chats.noforwards, chats.allow_archive,
               chats.state, heirs.chat_id AS migrated_to
        FROM chats LEFT JOIN chats AS heirs ON heirs.chat_no = chats.migrated_to""",
    "users": "SELECT user_id, first_name, last_name, username FROM users",
    "windows": """
        SELECT chat_id, first_id, last_id, read_at IS NOT NULL AS is_read,
               cursor_id IS NULL AS is_whole, dirty
        FROM windows JOIN chats USING (chat_no)""",
    "messages": """
        SELECT chat_id, message_id, messages.kind, sent_at, edited_at,
               deleted_at IS NOT NULL AS is_deleted, sender_id, text, reply_to_id, topic_id,
               grouped_id, forwarded_from, forwarded_message_id, forwarded_at, raw
        FROM messages JOIN chats USING (chat_no)""",
    "versions": """
        SELECT chat_id, message_id, written_at, text, media_id
        FROM message_versions JOIN chats USING (chat_no)""",
    "media": "SELECT media_id, kind, mime_type, size_bytes, variant, content_key FROM media",
    "files of messages": """
        SELECT chat_id, message_id, media_id FROM message_media JOIN chats USING (chat_no)""",
    "contents": "SELECT content_key, phash, width, height, size_bytes, exif FROM blobs",
    "ledger": "SELECT media_id, product, state, reason, error FROM media_products",
    "left to do": """
        SELECT 'update' AS what, change, chat_id, message_id
        FROM inbox JOIN chats USING (chat_no) WHERE applied_at IS NULL
        UNION ALL
        SELECT 'lease', lease_owner, 0, 0 FROM media WHERE lease_owner IS NOT NULL""",
}

_SHOWN: Final = """
SELECT chat_id, message_id, text, media.content_key
FROM messages JOIN chats USING (chat_no)
LEFT JOIN message_media USING (chat_no, message_id) LEFT JOIN media USING (media_id)
WHERE deleted_at IS NULL
"""


def picture_of(database: Database, story: Story) -> Picture:
    """Look at an archive; what may or may not have been seen is left out."""
    with database.transaction() as connection:
        rows = connection.cursor(row_factory=dict_row)
        found = {
            about: [_lasting(row) for row in rows.execute(question).fetchall()]
            for about, question in _QUESTIONS.items()
        }
    found["messages"] = [
        row for row in found["messages"] if not row["is_deleted"] or _is_sure(row, story)
    ]
    found["versions"] = [row for row in found["versions"] if _is_sure(row, story)]
    return {about: _texts(rows) for about, rows in found.items()}


def differences(found: Picture, expected: Picture) -> list[str]:
    """Say a line for each row that only one of two archives has."""
    return [
        f"{'missing' if row in expected[about] else 'unexpected'} in {about}: {row}"
        for about in expected
        for row in sorted(found[about] ^ expected[about])
    ]


def errors_of(database: Database, story: Story) -> list[str]:
    """Compare an archive with the chats themselves: live messages, their texts and files."""
    with database.transaction() as connection:
        rows = connection.execute(_SHOWN).fetchall()
    held = _texts([dict(zip(("chat", "id", "text", "file"), row, strict=True)) for row in rows])
    truth = _texts([_shown(chat.id, each) for chat in story.all_chats for each in chat.messages])
    twice = [] if len(held) == len(rows) else [f"{len(rows) - len(held)} messages twice"]
    return [
        *twice,
        *(f"not archived: {row}" for row in sorted(truth - held)),
        *(f"not in any chat: {row}" for row in sorted(held - truth)),
    ]


def _shown(chat_id: int, message: Message) -> dict[str, Any]:
    file = getattr(message.media, "file", None)
    content = None if file is None else f"sha256:{sha256(file.data).hexdigest()}"
    return {"chat": chat_id, "id": message.id, "text": message.text, "file": content}


def _is_sure(row: Mapping[str, Any], story: Story) -> bool:
    return (row["chat_id"], row["message_id"]) not in story.fleeting


def _lasting(value: Any) -> Any:
    """Leave out of a message's JSON what names its file today only."""
    if isinstance(value, dict):
        return {name: _lasting(each) for name, each in value.items() if name not in _CHANGING}
    if isinstance(value, list):
        return [_lasting(each) for each in value]
    return value


def _texts(rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(
        json.dumps(row, default=str, sort_keys=True, ensure_ascii=False) for row in rows
    )
