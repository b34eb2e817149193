"""A Telegram Desktop export as a source: imported, gone through, imported again, then read live."""

from __future__ import annotations

import asyncio
import io
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, LiteralString

import pytest
from PIL import Image

from archive.chats import allow
from archive.errors import ItemRejected
from archive.exports.importing import import_messages
from archive.exports.messages import chat_of, message_of
from archive.exports.records import NO_ACCOUNT, ExportedMessage, Imported, Rejected
from archive.ids import AccountId, content_key
from archive.records import Chat, Switches
from cli.demo.photos import group_photo, sample_photos
from cli.demo.run import set_up
from cli.demo.scenario import PHONE, DemoWorld
from resources.desktop_export.folder import ExportFolder
from resources.desktop_export.reading import chats_in
from resources.toolbox import Toolbox
from telegram_sandbox import ChatHandle, Message, Scenario, User
from telegram_sandbox.handles import forward_of
from tests.fixtures.commands import face_archive
from tests.fixtures.dumps import differences, dump
from tests.fixtures.hubs import hub_of
from tests.fixtures.installation import Install, Installation, install, shared_pack

__all__ = ["install"]

_PHOTOS = 14
_LACKING = 17
_STICKER = 18


@dataclass
class Chronicle:
    """The export's chat as it is at Telegram: the same messages, and what the export lacks."""

    folder: Path
    scenario: Scenario = field(default_factory=lambda: Scenario(seed=7))
    sent: dict[int, Message] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    @property
    def lacking(self) -> bytes:
        """The photo that the export does not include: another file of a face that it has."""
        return (self.folder / "photos/photo_10@15-11-2023_03-13-20.jpg").read_bytes() + b"\0"

    def build(self) -> ChatHandle:
        result = json.loads((self.folder / "result.json").read_text())
        owner = self._user("Anna Reporter", phone=PHONE)
        chat = self.scenario.supergroup(result["name"], owner=owner)
        for item in result["messages"][1:]:
            chat.skip_ids(item["id"] - 1 - max([1, *self.sent]))
            self.sent[item["id"]] = self._send(chat, item)
        result["id"] = -chat.id - 10**12
        (self.folder / "result.json").write_text(json.dumps(result))
        return chat

    def _send(self, chat: ChatHandle, item: dict[str, Any]) -> Message:
        sender = self._user(item["from"])
        date = datetime.fromtimestamp(int(item["date_unixtime"]), UTC)
        text = "".join(each["text"] for each in item["text_entities"])
        options: dict[str, Any] = {"date": date}
        if "reply_to_message_id" in item:
            options["reply_to"] = self.sent[item["reply_to_message_id"]]
        if "edited_unixtime" in item:
            options["edit_date"] = datetime.fromtimestamp(int(item["edited_unixtime"]), UTC)
        if "forwarded_from" in item:
            original = self.sent[3]
            header = forward_of(original)
            return chat.add(sender, text=text, media=original.media, forward=header, **options)
        if item["id"] == _LACKING:
            return chat.photo(sender, self.lacking, **options)
        if "photo" in item:
            data = (self.folder / item["photo"]).read_bytes()
            return chat.photo(sender, data, caption=text, **options)
        if item["id"] == _STICKER:
            return chat.sticker(sender, b"sticker", **options)
        if "file" in item:
            data = (self.folder / item["file"]).read_bytes()
            return chat.video(sender, data, caption=text, **options)
        if "poll" in item:
            return chat.poll(sender, item["poll"]["question"], ["a", "b"], **options)
        return chat.text(sender, text, **options)

    def _user(self, name: str, **options: Any) -> User:
        if name not in self.users:
            self.users[name] = self.scenario.user(*name.split(), **options)
        return self.users[name]


@dataclass(frozen=True, slots=True)
class Imports:
    """An installation that imported the export and went through it; nobody is logged in."""

    installation: Installation
    folder: Path
    telegram: ChatHandle
    chat: Chat
    first: Imported

    @property
    def toolbox(self) -> Toolbox:
        return self.installation.toolbox

    def rows(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        with self.toolbox.database.transaction() as connection:
            return connection.execute(statement).fetchall()

    def keys(self) -> list[str]:
        return [str(row.window.key) for row in self.toolbox.chats.windows(self.chat.chat_no)]


def import_folder(
    toolbox: Toolbox, folder: Path, account_id: AccountId = NO_ACCOUNT
) -> tuple[Chat, Imported]:
    """Import the only chat of an export, allowed for archive and faces."""
    source = ExportFolder.at(folder)
    with source.open("result.json") as number, open(number, "rb", closefd=False) as file:
        for found in chats_in(file):
            chat = toolbox.exports.add_chat(chat_of(found.head), account_id)
            chat = allow(chat, Switches(archive=True, faces=True), toolbox.chats)
            messages = (converted(item, chat) for item in found.items)
            export_no = toolbox.exports.number_of(source.root)
            return chat, import_messages(chat, export_no, messages, source, toolbox.exports)
    raise AssertionError("no chat")


def converted(item: object, chat: Chat) -> ExportedMessage | Rejected:
    try:
        return message_of(item, chat.chat_no)
    except ItemRejected as exc:
        return Rejected(exc.reason)


@pytest.fixture
def imports(shared_data: Path, tmp_path: Path, install: Install) -> Iterator[Imports]:
    folder = tmp_path / "export"
    shutil.copytree(shared_data / "desktop_export", folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    chronicle = Chronicle(folder)
    telegram = chronicle.build()
    world = DemoWorld(chronicle.scenario, (telegram.id,))
    settings = shared_pack(shared_data) | {"FACE_ARCHIVE_MIN_FACES": "3"}
    with install(world, **settings) as installation:
        chat, first = import_folder(installation.toolbox, folder)
        imports = Imports(installation, folder, telegram, chat, first)
        installation.materialize(imports.keys())
        yield imports


def test_an_export_becomes_people_without_an_account(imports: Imports) -> None:
    assert (imports.first.messages, imports.first.added, imports.first.rejected) == (22, 22, {})
    assert imports.rows("SELECT count(*) FROM identities") == [(3,)]
    assert imports.installation.requests("messages.getHistory", "upload.getFile") == 0
    # Photos, one of them forwarded, and the video; two media are not included, one is no face's.
    assert imports.rows(
        "SELECT state, reason, count(*) FROM media_products WHERE product = 'faces' "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    ) == [("done", None, _PHOTOS + 1), ("skipped", "not_included", 1), ("skipped", "type", 1)]
    assert imports.rows("SELECT count(*) FROM blobs") == [(_PHOTOS,)]


def test_importing_and_running_again_changes_nothing(imports: Imports) -> None:
    before = dump(imports.toolbox.database)

    _, again = import_folder(imports.toolbox, imports.folder)
    assert imports.toolbox.history.windows_to_submit() == []
    imports.installation.materialize(imports.keys())

    assert (again.added, again.updated, again.reopened, again.windows) == (0, 0, 0, 0)
    assert differences(dump(imports.toolbox.database), before) == {}


def test_a_larger_export_adds_only_what_is_new(imports: Imports) -> None:
    path = imports.folder / "result.json"
    result = json.loads(path.read_text())
    result["messages"].append({**result["messages"][-1], "id": 26, "text_entities": []})
    lacking = next(each for each in result["messages"] if each["id"] == _LACKING)
    data = (imports.folder / "photos/photo_10@15-11-2023_03-13-20.jpg").read_bytes() + b"\0"
    (imports.folder / "photos/late.jpg").write_bytes(data)
    lacking |= {"photo": "photos/late.jpg", "photo_file_size": len(data)}
    path.write_text(json.dumps(result))

    _, larger = import_folder(imports.toolbox, imports.folder)

    assert (larger.added, larger.updated) == (1, 1)
    assert [row.dirty for row in imports.toolbox.history.windows_to_submit()] == [True]
    imports.installation.materialize(imports.keys())
    assert imports.rows(
        "SELECT state, count(*) FROM media_products WHERE product = 'faces' GROUP BY 1 ORDER BY 1"
    ) == [("done", _PHOTOS + 2), ("skipped", 1)]


def test_a_later_login_joins_by_message_and_adds_only_what_the_export_lacked(
    imports: Imports,
) -> None:
    faces = imports.rows("SELECT face_id FROM faces ORDER BY face_id")
    people = imports.rows("SELECT identity_id, number FROM identities ORDER BY number")

    imports.installation.set_up()
    assert [row.dirty for row in imports.toolbox.history.windows_to_submit()] == [True]
    imports.installation.materialize(imports.keys())

    assert imports.rows("SELECT count(*), count(deleted_at) FROM messages") == [(22, 0)]
    assert imports.rows("SELECT count(*) FROM messages WHERE raw ->> '_' = 'ExportedMessage'") == [
        (0,)
    ]
    assert imports.rows("SELECT message_id, text, media_id FROM message_versions") == []
    assert imports.rows(
        "SELECT count(*), count(DISTINCT message_id), "
        "count(*) FILTER (WHERE media_id LIKE 'message:%') FROM message_media"
    ) == [(_PHOTOS + 3, _PHOTOS + 3, 0)]
    # Only the photo that was not included came over the line.
    assert imports.installation.requests("upload.getFile") == 1
    assert imports.rows("SELECT count(*) FROM blobs") == [(_PHOTOS + 1,)]
    assert set(faces) < set(imports.rows("SELECT face_id FROM faces ORDER BY face_id"))
    assert imports.rows("SELECT identity_id, number FROM identities ORDER BY number") == people
    assert imports.rows("SELECT count(*) FROM windows WHERE from_export OR dirty") == [(0,)]


def test_importing_after_a_live_reading_changes_nothing(imports: Imports) -> None:
    imports.installation.set_up()
    imports.installation.materialize(imports.keys())
    before = dump(imports.toolbox.database)

    _, again = import_folder(imports.toolbox, imports.folder)
    imports.installation.materialize(imports.keys())

    assert (again.added, again.updated) == (0, 0)
    assert differences(dump(imports.toolbox.database), before) == {}


def test_messages_keep_what_the_format_has(imports: Imports) -> None:
    assert imports.rows(
        "SELECT message_id, kind, text, reply_to_id, forwarded_from, edited_at IS NOT NULL "
        "FROM messages WHERE message_id IN (1, 2, 11, 14, 15, 25) ORDER BY 1"
    ) == [
        (1, "service", "", None, None, False),
        (
            2,
            "text",
            "Photos of the week. Please name people, see https://example.org/rules and @press_desk",
            None,
            None,
            False,
        ),
        (11, "media", "", 3, None, False),
        (14, "media", "", None, 100001, False),
        (15, "text", "Corrected caption", None, None, True),
        (25, "text", "hidden x = 1 print('hi') quoted here", None, None, False),
    ]
    assert imports.rows(
        "SELECT raw -> 'reactions' -> 0 ->> 'count' FROM messages WHERE message_id = 15"
    ) == [("2",)]
    assert ("Anna Reporter",) in imports.rows("SELECT first_name FROM users")


def test_people_of_an_export_are_published_from_its_files(imports: Imports) -> None:
    installation = imports.installation
    # Somebody is logged in and has a hub; the imported chat is still nobody's.
    asyncio.run(set_up(imports.toolbox, replace(installation.world, chats=())))
    allow(imports.chat, Switches(publish=True), imports.toolbox.chats)

    installation.materialize([])

    topics = hub_of(installation)
    posted = {post.content_key for posts in topics.values() for post in posts}
    files = [path for path in imports.folder.rglob("*") if path.is_file()]
    assert len(topics) == 3
    assert all(topics.values())
    assert posted <= {content_key(sha256(path.read_bytes()).digest()) for path in files}
    assert installation.requests("messages.getHistory", "upload.getFile") == 0


def test_a_small_group_that_was_imported_and_is_read_later_is_not_doubled(
    tmp_path: Path, install: Install
) -> None:
    scenario = Scenario(seed=5)
    owner = scenario.user("Nora", phone=PHONE)
    group = scenario.group("Round table", owner=owner)
    sent = [group.text(owner, text) for text in ("one", "two", "three")]
    supergroup = group.migrate()
    supergroup.text(owner, "four")
    write_group(tmp_path, group, owner, sent[:2])

    with install(DemoWorld(scenario, (supergroup.id,))) as installation:
        toolbox = installation.toolbox
        import_folder(toolbox, tmp_path, AccountId(owner.id))
        keys = installation.set_up()
        installation.plan_again()
        installation.materialize([row.window.key for row in toolbox.history.windows_to_submit()])

        assert keys
        with toolbox.database.transaction() as connection:
            texts = connection.execute(
                "SELECT text FROM messages WHERE kind = 'text' ORDER BY sent_at"
            ).fetchall()
            exported = connection.execute(
                "SELECT count(*) FROM messages WHERE raw ->> '_' = 'ExportedMessage'"
            ).fetchone()
        assert texts == [("one",), ("two",), ("three",), ("four",)]
        assert exported == (0,)
        (chat,) = [chat for chat in toolbox.chats.list() if not chat.is_hub]
        assert (int(chat.chat_id), chat.switches.archive) == (supergroup.id, True)


def write_group(folder: Path, group: ChatHandle, owner: User, messages: list[Message]) -> None:
    """Write the export of a basic group as its owner's Telegram Desktop would."""
    items = [
        {
            "id": message.id,
            "type": "message",
            "date_unixtime": str(int(message.date.timestamp())),
            "from": "Nora",
            "from_id": f"user{owner.id}",
            "text": message.text,
        }
        for message in messages
    ]
    head = {"name": group.title, "type": "private_group", "id": -group.id}
    (folder / "result.json").write_text(json.dumps(head | {"messages": items}))


def test_pictures_that_look_alike_are_linked_when_they_are_imported(
    tmp_path: Path, install: Install
) -> None:
    original = next(sample_photos(random.Random(3), 1)).data
    with Image.open(io.BytesIO(original)) as picture:
        picture.save(tmp_path / "smaller.jpg", quality=60)
    (tmp_path / "original.jpg").write_bytes(original)
    (tmp_path / "other.jpg").write_bytes(group_photo())

    with install(DemoWorld(Scenario(seed=1), ())) as installation:
        shell = face_archive(
            *(installation.environment, "import", "--folder", tmp_path, "--allow", "archive")
        )
        assert shell.exit_code == 0, shell.output
        installation.materialize(
            [row.window.key for row in installation.toolbox.history.windows_to_submit()]
        )
        with installation.toolbox.database.transaction() as connection:
            linked = connection.execute("SELECT first_key, second_key FROM near_copies").fetchall()

    alike = {
        content_key(sha256((tmp_path / name).read_bytes()).digest())
        for name in ("original.jpg", "smaller.jpg")
    }
    assert [set(pair) for pair in linked] == [alike]
