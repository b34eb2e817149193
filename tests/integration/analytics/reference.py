"""What the marts have to say, worked out in another way: from PostgreSQL's rows, with loops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations
from typing import Any

from psycopg.rows import dict_row

from resources.store.database import Database

Row = dict[str, Any]


@dataclass
class Tables:
    """The archive's rows, by table."""

    of: dict[str, list[Row]]

    @classmethod
    def read(cls, database: Database) -> Tables:
        names = (
            "chats", "windows", "messages", "message_media", "media", "blobs", "faces",
            "assignments", "identities", "suppressed_regions", "near_copies", "failures",
            "unanswered_updates",
        )  # fmt: skip
        with database.transaction() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return cls({name: cursor.execute(f"TABLE {name}").fetchall() for name in names})


@dataclass
class Seen:
    """A medium in a message that counts."""

    chat_no: int
    message_id: int
    sent_at: datetime
    sender_id: int | None
    media_id: str
    kind: str
    content: str | None
    album: str | None
    faces_allowed: bool


@dataclass
class Reference:
    """Everything the marts are compared with."""

    tables: Tables
    chats: dict[int, Row] = field(default_factory=dict)
    live: list[Row] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    in_content: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    people: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chats = {chat["chat_no"]: chat for chat in self.tables.of["chats"]}
        self.live = [message for message in self.tables.of["messages"] if self._counts(message)]
        self.seen = list(self._seen())
        self.people = {
            str(person["identity_id"]): person
            for person in self.tables.of["identities"]
            if person["state"] in ("visible", "hidden")
        }
        self.in_content = self._in_content()

    def home(self, chat_no: int) -> int:
        return self.chats[chat_no]["migrated_to"] or chat_no

    def label(self, person: str) -> str:
        row = self.people[person]
        return row["label"] or f"Person {row['number']}"

    def _counts(self, message: Row) -> bool:
        chat = self.chats[message["chat_no"]]
        if chat["is_hub"] or message["kind"] == "service":
            return False
        return message["deleted_at"] is None or chat["on_deletion"] == "keep"

    def _seen(self) -> Iterator[Seen]:
        media = {each["media_id"]: each for each in self.tables.of["media"]}
        live = {(each["chat_no"], each["message_id"]): each for each in self.live}
        for link in self.tables.of["message_media"]:
            message = live.get((link["chat_no"], link["message_id"]))
            if message is None:
                continue
            home, medium = self.home(link["chat_no"]), media[link["media_id"]]
            group = message["grouped_id"]
            yield Seen(
                home,
                link["message_id"],
                message["sent_at"],
                message["sender_id"],
                link["media_id"],
                medium["kind"],
                medium["content_key"],
                None if group is None else f"album {home} {group}",
                self.chats[link["chat_no"]]["allow_faces"],
            )

    def _in_content(self) -> dict[str, dict[str, list[float]]]:
        """Qualities of each person's faces in each content."""
        none = {region["face_id"] for region in self.tables.of["suppressed_regions"]}
        faces = {face["face_id"]: face for face in self.tables.of["faces"]}
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for each in self.tables.of["assignments"]:
            person, face = str(each["identity_id"]), faces[each["face_id"]]
            if person in self.people and each["face_id"] not in none:
                found[face["content_key"]][person].append(face["quality"])
        return found

    def appearances(self) -> dict[tuple[str, str, str, str], tuple[datetime, int, float]]:
        """Person, content, chat, message → when, how many faces, the best of them."""
        found = {}
        for each in self.seen:
            if each.faces_allowed and each.content:
                for person, qualities in self.in_content.get(each.content, {}).items():
                    key = (person, each.content, str(each.chat_no), str(each.message_id))
                    found[key] = (each.sent_at, len(qualities), max(qualities))
        return found

    def days(self) -> dict[tuple[str, date], tuple[int, int, int]]:
        """Person and day → contents, appearances, chats."""
        at: dict[tuple[str, date], list[tuple[str, str]]] = defaultdict(list)
        for (person, content, chat, _), (when, _, _) in self.appearances().items():
            at[person, when.date()].append((content, chat))
        return {
            key: (len({c for c, _ in pairs}), len(pairs), len({chat for _, chat in pairs}))
            for key, pairs in at.items()
        }

    def longest_streak(self, person: str) -> int:
        days = sorted(day for who, day in self.days() if who == person)
        longest = run = 0
        for number, day in enumerate(days):
            follows = number > 0 and (day - days[number - 1]).days == 1
            run = run + 1 if follows else 1
            longest = max(longest, run)
        return longest

    def together(self) -> dict[tuple[str, str], tuple[int, int, int, float]]:
        """Pair → in one content, in one album, on one occasion, and as often by chance."""
        shown: dict[str, list[Seen]] = defaultdict(list)
        for each in self.seen:
            if each.content and each.faces_allowed:
                shown[each.content].append(each)
        occasions: dict[str, set[str]] = defaultdict(set)
        contents: dict[tuple[str, str], int] = defaultdict(int)
        for content, sources in shown.items():
            there = self.visible_in(content)
            for pair in combinations(sorted(there), 2):
                contents[pair] += 1
            in_albums = [each for each in sources if each.album]
            first = min(in_albums, key=lambda s: (s.sent_at, s.chat_no, s.message_id), default=None)
            if there:
                occasions[first.album if first and first.album else content] |= there
        return {
            pair: self._pair(pair, contents[pair], occasions)
            for people in occasions.values()
            for pair in combinations(sorted(people), 2)
        }

    def visible_in(self, content: str) -> set[str]:
        people = self.in_content.get(content, {})
        return {person for person in people if self.people[person]["state"] == "visible"}

    def _pair(
        self, pair: tuple[str, str], contents: int, occasions: dict[str, set[str]]
    ) -> tuple[int, int, int, float]:
        a, b = (sum(person in people for people in occasions.values()) for person in pair)
        both = [name for name, people in occasions.items() if set(pair) <= people]
        albums = sum(name.startswith("album") for name in both)
        return contents, albums, len(both), a * b / len(occasions)
