"""Exports that somebody made to do harm, or that are spoilt: nothing outside is opened."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.chats import allow
from archive.errors import ItemRejected, Transient
from archive.exports.importing import DUPLICATE, import_messages
from archive.exports.messages import chat_of, message_of
from archive.exports.records import NO_ACCOUNT, BrokenExport, ExportedMessage, Imported, Rejected
from archive.ids import ChatNo
from archive.records import Chat, Switches
from resources.desktop_export.folder import ExportFolder
from resources.desktop_export.json_stream import JsonStream
from resources.desktop_export.reading import chats_in
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.exports import ExportStore

SECRET = b"nobody's business"


@pytest.fixture
def folder(tmp_path: Path) -> ExportFolder:
    """An export folder, and beside it what is not to be read."""
    (tmp_path / "export" / "photos").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(SECRET)
    return ExportFolder.at(tmp_path / "export")


def reason(folder: ExportFolder, path: str) -> str:
    with pytest.raises(ItemRejected) as rejected, folder.open(path):
        pass
    return rejected.value.reason


# What is opened


@pytest.mark.parametrize(
    "path",
    ["../secret/key", "photos/../../secret/key", "/etc/passwd", "", "photos/", ".", "a\0b", "./a"],
)
def test_a_path_that_leads_out_of_the_folder_is_not_opened(folder: ExportFolder, path: str) -> None:
    assert reason(folder, path) == "outside"


def test_no_symbolic_link_is_followed_wherever_it_stands(folder: ExportFolder) -> None:
    secret = folder.root.parent / "secret"
    (folder.root / "photos" / "link.jpg").symlink_to(secret / "key")
    (folder.root / "inner").symlink_to(secret)
    (folder.root / "here").symlink_to(folder.root / "photos")

    for path in ("photos/link.jpg", "inner/key", "here/link.jpg"):
        assert reason(folder, path) == "link"
        assert folder.size_of(path) is None


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(folder: ExportFolder) -> None:
    photos = folder.root / "photos"
    (photos / "key").write_bytes(b"ours")
    with folder.open("photos/key"):
        photos.rename(folder.root / "was")
        photos.symlink_to(folder.root.parent / "secret")
        assert reason(folder, "photos/key") == "link"


def test_what_is_no_file_is_told_from_what_is_not_there(folder: ExportFolder) -> None:
    os.mkfifo(folder.root / "photos" / "pipe.jpg")
    (folder.root / "plain").write_bytes(b"x")

    assert reason(folder, "photos/pipe.jpg") == "not_a_file"
    assert reason(folder, "photos") == "not_a_file"
    assert reason(folder, "plain/inner") == "not_a_file"
    assert reason(folder, "photos/none.jpg") == "missing"


def test_a_disk_that_is_away_is_no_reason_to_give_its_files_up(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="away"), ExportFolder(tmp_path / "usb").open("a.jpg"):
        pass


# What is read


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.integers(1, 7),
)
def test_json_reads_the_same_however_it_is_cut(value: object, size: int) -> None:
    class Slow(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(size)

    text = json.dumps(value, ensure_ascii=True).encode()
    assert JsonStream(Slow(text)).value() == json.loads(text)


def items_of(text: str) -> Iterator[object]:
    for chat in chats_in(io.BytesIO(text.encode())):
        yield from chat.items


HEAD = '{"name": "Club", "type": "private_supergroup", "id": 77, "messages": ['


def test_what_came_before_a_break_is_given() -> None:
    whole = HEAD + '{"id": 1}, {"id": 2}'
    for cut in range(len(HEAD), len(whole) + 1):
        with pytest.raises(BrokenExport, match=r"byte \d+"):
            list(items_of(whole[:cut]))
    items = items_of(whole + ", {")
    assert [next(items), next(items)] == [{"id": 1}, {"id": 2}]
    with pytest.raises(BrokenExport):
        next(items)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"messages": 5}', "{" * 100_000, HEAD + "[" * 100_000]
)
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(BrokenExport):
        list(items_of(text))


def test_the_chats_of_a_whole_account_are_told_apart() -> None:
    text = (
        '{"contacts": {"list": [{"first_name": "A"}]}, "chats": {"about": "x", "list": ['
        '{"name": "A", "type": "personal_chat", "id": 1, "messages": [{"id": 5}, {"id": 6}]},'
        '{"type": "saved_messages", "id": 2, "messages": []}]},'
        '"left_chats": {"list": [{"name": "C", "id": 3, "messages": [{"id": 7}]}]}}'
    )
    found = [
        (chat.head.get("id"), list(chat.items)) for chat in chats_in(io.BytesIO(text.encode()))
    ]
    assert found == [(1, [{"id": 5}, {"id": 6}]), (2, []), (3, [{"id": 7}])]
    # Passing over a chat does not mix it with the next.
    assert [chat.head.get("id") for chat in chats_in(io.BytesIO(text.encode()))] == [1, 2, 3]


# What is stored


def item(message_id: object = 1, **fields: object) -> dict[str, object]:
    return {"id": message_id, "type": "message", "date_unixtime": "1700000000", "text": ""} | fields


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("id", "type", "date", "date_unixtime", "edited", "from", "from_id", "text"),
                *("text_entities", "photo", "file", "width", "file_size", "mime_type"),
                *("media_type", "reply_to_message_id", "forwarded_from_id", "duration_seconds"),
            ]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.lists(st.text() | st.none() | st.dictionaries(st.text(), st.text())),
    )
)
def test_wrong_types_are_rejected_and_nothing_else_happens(fields: dict[str, object]) -> None:
    outcome = _converted_in(ChatNo(1), item() | fields)
    if isinstance(outcome, Rejected):
        assert outcome.reason in {"wrong_type", "bad_id", "bad_date"}
    else:
        assert 0 < outcome.message.message_id < 2**31
        assert json.loads(outcome.message.raw)


def imported(database: Database, folder: ExportFolder, *items: object) -> tuple[Chat, Imported]:
    exports = ExportStore(database)
    head = {"name": "Club", "type": "private_supergroup", "id": 77}
    chat = exports.add_chat(chat_of(head), NO_ACCOUNT)
    chat = allow(chat, Switches(archive=True), ChatStore(database))
    number = exports.number_of(folder.root)
    read = (_converted_in(chat.chat_no, each) for each in items)
    return chat, import_messages(chat, number, read, folder, exports)


def _converted_in(chat_no: ChatNo, each: object) -> ExportedMessage | Rejected:
    try:
        return message_of(each, chat_no)
    except ItemRejected as exc:
        return Rejected(exc.reason)


def test_of_two_messages_with_one_id_the_first_counts(
    database: Database, folder: ExportFolder
) -> None:
    _, done = imported(
        database, folder, item(5, text="first"), item(3), item(5, text="second"), item(3), 7
    )
    assert (done.messages, done.rejected) == (2, {DUPLICATE: 2, "wrong_type": 1})
    with database.transaction() as connection:
        texts = connection.execute("SELECT text FROM messages ORDER BY message_id").fetchall()
    assert texts == [("",), ("first",)]


def test_texts_that_postgres_cannot_store_do_not_stop_an_import(
    database: Database, folder: ExportFolder
) -> None:
    nasty = ["a\0b", "\ud800", "\\u0000", "\\\0", "\x07"]
    items = [
        item(number, text=text, **{"from": text, "from_id": f"user{number}", "file_name": text})
        for number, text in enumerate(nasty, 1)
    ]
    _, done = imported(database, folder, *items)
    _, again = imported(database, folder, *items)
    assert (done.added, again.added, again.updated) == (5, 0, 0)


def test_nothing_is_stored_of_a_chat_that_may_not_be_archived(
    database: Database, folder: ExportFolder
) -> None:
    exports = ExportStore(database)
    chat = exports.add_chat(
        chat_of({"name": "Club", "type": "private_supergroup", "id": 77}), NO_ACCOUNT
    )
    messages = [message_of(item(), chat.chat_no)]
    import_messages(chat, exports.number_of(folder.root), messages, folder, exports)
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_a_sparse_chat_gets_windows_only_where_it_has_messages(
    database: Database, folder: ExportFolder
) -> None:
    chat, done = imported(database, folder, item(1), item(10_000), item(10_001), item(2_000_000))
    rows = ChatStore(database).windows(chat.chat_no)
    assert done.windows == 3
    assert [row.window.first_id for row in rows] == [1_990_001, 10_001, 1]
    assert all(row.read_at and row.dirty for row in rows)
