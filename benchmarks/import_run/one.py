"""`python -m benchmarks.import_run.one ours|peer FOLDER URL`: import once, print what it took."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psycopg

from archive.chats import allow
from archive.exports.importing import import_messages
from archive.exports.messages import chat_of, message_of
from archive.exports.records import NO_ACCOUNT
from archive.records import Switches
from resources.desktop_export.folder import ExportFolder
from resources.desktop_export.reading import chats_in
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.exports import ExportStore


def ours(folder: Path, url: str) -> int:
    """Import as `face-archive import` does."""
    source = ExportFolder.at(folder)
    with (
        Database(url) as database,
        source.open("result.json") as number,
        open(number, "rb", closefd=False) as file,
    ):
        exports = ExportStore(database)
        for found in chats_in(file):
            chat = exports.add_chat(chat_of(found.head), NO_ACCOUNT)
            chat = allow(chat, Switches(archive=True), ChatStore(database))
            messages = (message_of(item, chat.chat_no) for item in found.items)
            export_no = exports.number_of(folder)
            return import_messages(chat, export_no, messages, source, exports).added
    return 0


def peer(folder: Path, url: str) -> int:
    """Load the file whole and copy each message as it is into a table without rules."""
    result = json.loads((folder / "result.json").read_bytes())
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE raw_messages (message_id bigint PRIMARY KEY, raw jsonb)")
        with cursor.copy("COPY raw_messages FROM STDIN") as copy:
            for message in result["messages"]:
                copy.write_row((message["id"], json.dumps(message)))
    return len(result["messages"])


if __name__ == "__main__":
    way, where, database_url = sys.argv[1:]
    started = time.perf_counter()
    count = (ours if way == "ours" else peer)(Path(where), database_url)
    seconds = time.perf_counter() - started
    # Not ru_maxrss: that is inherited from whoever forked this process.
    status = Path("/proc/self/status").read_text()
    peak_mb = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"messages": count, "seconds": seconds, "peak_mb": peak_mb}))
