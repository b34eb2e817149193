"""Importing: from the messages of an export to rows and windows, as a live reading leaves them.

The switches hold here too, page by page. What is made of the files is the ordinary media pass's;
what a message says is ``messages``'.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from archive.exports.records import (
    BrokenExport,
    ExportedMessage,
    ExportFiles,
    ExportStore,
    Imported,
    Rejected,
    Stored,
)
from archive.exports.topics import Topics
from archive.history.ports import Plan
from archive.ids import MessageId
from archive.records import Chat, Message
from archive.windows import choose_width, window_at

_PAGE: Final = 2_000
"""Messages a transaction: large enough that its cost is the rows', small enough for memory."""

DUPLICATE: Final = "duplicate_id"

Advance = Callable[[int], None]


def import_messages(
    chat: Chat,
    export_no: int,
    messages: Iterable[ExportedMessage | Rejected],
    files: ExportFiles,
    store: ExportStore,
    *,
    advance: Advance = lambda done: None,
) -> Imported:
    """Store one chat of an export; done again it changes nothing.

    The next page is read while the last one is stored. A message that Telegram itself has brought
    is left as it is, and nothing counts as deleted because an export lacks it.

    Args:
        chat: As the store has it.
        export_no: The store's number of the folder.
        messages: As they come; of two with one id the first counts.
        files: The folder.
        store: Where messages are remembered.
        advance: Told how many messages were seen so far.

    Raises:
        Transient: The database does not answer.
    """
    reading = _Import(chat, export_no, files, store)
    try:
        reading.read(messages, advance)
    except BrokenExport as broken:
        return replace(reading.finish(), broken=broken)
    return reading.finish()


class _Import:
    """One call of ``import_messages``; holds a few bytes a message, however many they are."""

    def __init__(self, chat: Chat, export_no: int, files: ExportFiles, store: ExportStore) -> None:
        self._chat = chat
        self._export_no = export_no
        self._files = files
        self._store = store
        self._ids = array("i")
        self._touched = array("i")
        self._rejected: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._topics = Topics()
        self._is_allowed = chat.switches.archive

    def read(self, messages: Iterable[ExportedMessage | Rejected], advance: Advance) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="import") as background:
            under_way: Future[Stored | None] | None = None
            page: list[ExportedMessage] = []
            try:
                for each in messages:
                    if not self._is_allowed:
                        return
                    if (message := self._judged(each)) is not None:
                        page.append(message)
                    if len(page) == _PAGE:
                        self._wait(under_way)
                        under_way = background.submit(self._save, page)
                        page = []
                        advance(len(self._ids))
            finally:
                # A broken export keeps what came before the break, the last part page too.
                self._wait(under_way)
                if page and self._is_allowed:
                    self._wait(background.submit(self._save, page))

    def finish(self) -> Imported:
        windows = 0
        if self._ids and self._is_allowed:
            plan = self._plan()
            touched = _one_a_window(self._touched, plan.width)
            windows = self._store.finish(self._chat.chat_no, plan, touched)
        reopened = self._reopen()
        return Imported(
            messages=len(self._ids),
            added=self._counts["added"],
            updated=len(self._touched) - self._counts["added"],
            media=self._counts["media"],
            windows=windows,
            reopened=reopened,
            rejected=dict(self._rejected),
        )

    def _judged(self, each: ExportedMessage | Rejected) -> ExportedMessage | None:
        if isinstance(each, Rejected):
            self._rejected[each.reason] += 1
            return None
        if not self._is_new(each.message.message_id):
            self._rejected[DUPLICATE] += 1
            return None
        message = self._with_size(each, self._topics.place(each.message))
        return each if message is each.message else replace(each, message=message)

    def _is_new(self, message_id: MessageId) -> bool:
        """Note an id; they nearly always come in order."""
        if not self._ids or message_id > self._ids[-1]:
            self._ids.append(message_id)
            return True
        place = bisect_left(self._ids, message_id)
        if self._ids[place] == message_id:
            return False
        self._ids.insert(place, message_id)
        return True

    def _save(self, page: list[ExportedMessage]) -> Stored | None:
        return self._store.store_page(self._chat, self._export_no, page)

    def _wait(self, under_way: Future[Stored | None] | None) -> None:
        if under_way is None:
            return
        stored = under_way.result()
        if stored is None:
            self._is_allowed = False
            return
        self._counts["added"] += stored.added
        self._touched.extend(stored.touched)

    def _plan(self) -> Plan:
        """Cover what was seen, and claim nothing of what lies between or below."""
        oldest, top = MessageId(self._ids[0]), MessageId(self._ids[-1])
        width = self._chat.window_width or choose_width(
            self._chat.id_space, oldest=oldest, top=top, count=len(self._ids)
        )
        windows = tuple(
            window_at(self._chat.chat_no, message_id, width)
            for message_id in reversed(_one_a_window(self._ids, width))
        )
        return Plan(windows, width, known_top=top)

    def _reopen(self) -> int:
        there = [
            each.media_id
            for each in self._store.absent(self._chat.chat_no)
            if (size := self._files.size_of(each.path)) is not None
            and each.size_bytes in (None, size)
        ]
        if there:
            self._store.reopen(self._chat.chat_no, there)
        return len(there)

    def _with_size(self, each: ExportedMessage, message: Message) -> Message:
        """Count the file, and measure it where an old export does not say how large it is."""
        if message.media is None:
            return message
        self._counts["media"] += 1
        if message.media.size_bytes is not None or each.path is None:
            return message
        size = self._files.size_of(each.path)
        return replace(message, media=replace(message.media, size_bytes=size))


def _one_a_window(ids: Iterable[int], width: int) -> list[MessageId]:
    """Name the windows that hold messages by one id each, in their order: a million is no list."""
    return [MessageId(block * width + 1) for block in sorted({(each - 1) // width for each in ids})]
