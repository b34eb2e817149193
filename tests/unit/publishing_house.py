"""A whole installation in memory: people and chats that change, a hub, an outbox, publishing."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import cast
from uuid import UUID

from archive.identity.records import IdentityState
from archive.identity.rules import NEAR_COPY_BITS
from archive.ids import ChatNo, ContentKey, FaceId, IdentityId, MediaId, MessageId
from archive.media_pass.ports import MediaSource
from archive.publishing import Hub, HubNo, Policy, PublishOptions, PublishResult, no_pace, publish
from archive.publishing.captions import _line as line_of
from archive.publishing.captions import caption
from archive.publishing.desired import pointer, summary
from archive.publishing.doubts import EXPLANATION, REVIEW, REVIEW_TITLE, Asked, Doubt
from archive.publishing.planning import Plan, plan
from archive.publishing.reviewing import MOST_ASKED
from archive.publishing.state import Permission, Projection
from archive.publishing.wanted import WantedContent, WantedTopic, topic_title
from archive.publishing.ways import CropSource
from archive.records import Chat
from tests.fakes.hub import Died, HubTopic, MemoryHub
from tests.fakes.outbox import MemoryOutbox
from tests.unit.publishing_world import HUB_CHAT, NOW, chat, person, source

CONTENTS = 8
CHATS = 3
# Messages of a chat whose numbers are so close are one album.
ALBUM = 6
# Near copies of one another by pairs: 0 and 1, 2 and 3; the others have nothing near, or no hash.
HASHES = (0, 0b11, 1 << 40 | 0xFFFF_FFFF, 1 << 40 | 0xFFFF_FFFE, -1, 0x5555_5555_5555_5555)


@dataclass
class Somebody:
    """A person as the archive has them."""

    number: int
    label: str | None = None
    state: IdentityState = IdentityState.VISIBLE
    into: IdentityId | None = None


@dataclass
class House:
    """People, chats, what shows whom where, and the hub that follows."""

    policy: Policy = field(default_factory=Policy)
    people: dict[IdentityId, Somebody] = field(default_factory=dict)
    faces: dict[int, tuple[int, IdentityId | None]] = field(default_factory=dict)
    messages: dict[tuple[int, int], int] = field(default_factory=dict)
    allowed: dict[int, bool] = field(
        default_factory=lambda: dict.fromkeys(range(1, CHATS + 1), True)
    )
    history: list[str] = field(default_factory=list)
    asks: bool = False
    by_hand: set[int] = field(default_factory=set)
    apart: set[tuple[int, IdentityId]] = field(default_factory=set)
    mood: int = 0
    _random_ids: count[int] = field(default_factory=lambda: count(1))
    _faces: count[int] = field(default_factory=count)
    _messages: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.hub = MemoryHub(HUB_CHAT)
        self.store = MemoryOutbox(Hub(HubNo(1), HUB_CHAT), self.projection, self.permission)
        self.store.open_doubts = self.still_asked

    # What there is

    def add_person(self) -> IdentityId:
        number = len(self.people) + 1
        identity_id = IdentityId(UUID(int=number))
        self.people[identity_id] = Somebody(number)
        return identity_id

    def add_face(self, number: int, identity_id: IdentityId | None) -> None:
        self.faces[next(self._faces)] = (number, identity_id)

    def add_message(self, number: int, chat_no: int) -> None:
        self.messages[chat_no, next(self._messages)] = number

    def chat(self, chat_no: int) -> Chat:
        return chat(chat_no, f"Chat {chat_no}")

    def contents(self) -> Iterator[tuple[int, WantedContent]]:
        for number in range(CONTENTS):
            sources = tuple(
                replace(
                    source(message_id, self.chat(chat_no)),
                    media_id=MediaId(f"photo:{key_of(number)}"),
                    grouped_id=message_id // ALBUM,
                )
                for (chat_no, message_id), shown in self.messages.items()
                if shown == number and self.allowed[chat_no]
            )
            if sources:
                phash = HASHES[number] if number < len(HASHES) else None
                yield number, WantedContent(key_of(number), phash, None, sources)

    def projection(self) -> Projection:
        contents = dict(self.contents())
        shown: dict[IdentityId, dict[int, WantedContent]] = defaultdict(dict)
        for number, identity_id in self.faces.values():
            if identity_id is not None and number in contents:
                shown[identity_id][number] = contents[number]
        wanted = [
            person(each.number, *shown[key].values(), label=each.label, state=each.state)
            for key, each in self.people.items()
            if each.state.live and shown[key]
        ]
        merged = {key: each.into for key, each in self.people.items() if each.into is not None}
        erased = [key for key, p in self.people.items() if p.state is IdentityState.ERASED]
        return Projection(HUB_CHAT, tuple(wanted), merged=merged, erased=frozenset(erased))

    def permission(self, identity_id: IdentityId, chat_nos: frozenset[ChatNo]) -> Permission:
        somebody = self.people.get(identity_id)
        visible = somebody is not None and somebody.state is IdentityState.VISIBLE
        return Permission(visible, frozenset(n for n in chat_nos if self.allowed.get(n)))

    # What may be asked

    def doubts(self) -> list[Doubt] | None:
        """Ask of every face about one person, in an order that changes with the mood."""
        if not self.asks:
            return None
        rng = random.Random(self.mood)
        asked = []
        for face, (_, whose) in self.faces.items() if self.people else ():
            who = rng.choice([whose or next(reversed(self.people)), *self.people])
            asked.append(Doubt(face_id_of(face), who, placed=who == whose))
        return rng.sample(asked, len(asked))

    def is_open(self, doubt: Doubt) -> bool:
        face = doubt.face_id.int
        if face not in self.faces or face in self.by_hand:
            return False
        whose = doubt.identity_id if doubt.placed else None
        return (
            self.faces[face][1] == whose
            and (face, doubt.identity_id) not in self.apart
            and self.people[doubt.identity_id].state is IdentityState.VISIBLE
        )

    def still_asked(self, doubts: Sequence[Doubt]) -> list[WantedContent]:
        contents = dict(self.contents())
        found = []
        for doubt in filter(self.is_open, doubts):
            who = self.people[doubt.identity_id]
            name = topic_title(person(who.number, label=who.label).identity)
            asked = Asked(doubt, name, who.number)
            shown = contents.get(self.faces[doubt.face_id.int][0])
            if shown is not None:
                found.append(replace(shown, content_key=doubt.key, phash=None, asked=asked))
        return found

    # What happens

    def befall(self, rng: random.Random) -> None:
        """Let one thing happen to people, faces, messages or switches."""
        verbs: list[Callable[[random.Random], str]] = [
            self._meet, self._meet, self._merge, self._part, self._split, self._reject,
            self._rename, self._hide, self._erase, self._switch, self._delete, self._not_a_face,
            self._doubt, self._doubt, self._answer, self._answer, self._score, self._ask,
        ]  # fmt: skip
        self.history.append(rng.choice(verbs)(rng))

    def _somebody(self, rng: random.Random) -> IdentityId:
        live = [key for key, each in self.people.items() if each.state.live]
        return rng.choice(live) if live else self.add_person()

    def _meet(self, rng: random.Random) -> str:
        number = rng.randrange(CONTENTS)
        self.add_message(number, rng.randint(1, CHATS))
        for _ in range(rng.randint(1, 2)):
            who = self.add_person() if rng.random() < 0.3 else self._somebody(rng)
            self.add_face(number, who)
        return f"meet {number}"

    def _merge(self, rng: random.Random) -> str:
        one, other = self._somebody(rng), self._somebody(rng)
        if one != other:
            self.people[one].state, self.people[one].into = IdentityState.MERGED, other
            self._give({f for f, (_, who) in self.faces.items() if who == one}, other)
        return f"merge {one.int} into {other.int}"

    def _part(self, rng: random.Random) -> str:
        """Take a merge back."""
        merged = [key for key, each in self.people.items() if each.into is not None]
        if not merged:
            return "part nobody"
        one = rng.choice(merged)
        goal = self.people[one].into
        self.people[one].state, self.people[one].into = IdentityState.VISIBLE, None
        theirs = [f for f, (_, who) in self.faces.items() if who == goal]
        self._give(set(rng.sample(theirs, len(theirs) // 2)), one)
        return f"part {one.int}"

    def _split(self, rng: random.Random) -> str:
        one = self._somebody(rng)
        theirs = [f for f, (_, who) in self.faces.items() if who == one]
        self._give(set(rng.sample(theirs, len(theirs) // 2)), self.add_person())
        return f"split {one.int}"

    def _reject(self, rng: random.Random) -> str:
        one = self._somebody(rng)
        number = rng.randrange(CONTENTS)
        theirs = {f for f, shown in self.faces.items() if shown == (number, one)}
        self._give(theirs, rng.choice([None, self._somebody(rng)]))
        return f"reject {number} from {one.int}"

    def _give(self, faces: set[int], to: IdentityId | None) -> None:
        for face in faces:
            self.faces[face] = (self.faces[face][0], to)

    def _rename(self, rng: random.Random) -> str:
        one = self._somebody(rng)
        self.people[one].label = rng.choice([None, "Mia", "Ida & Bo", "x" * 200])
        return f"rename {one.int}"

    def _hide(self, rng: random.Random) -> str:
        one = self.people[self._somebody(rng)]
        hidden = one.state is IdentityState.HIDDEN
        one.state = IdentityState.VISIBLE if hidden else IdentityState.HIDDEN
        return f"{one.state} {one.number}"

    def _erase(self, rng: random.Random) -> str:
        one = self._somebody(rng)
        self.people[one].state = IdentityState.ERASED
        self.faces = {f: shown for f, shown in self.faces.items() if shown[1] != one}
        return f"erase {one.int}"

    def _switch(self, rng: random.Random) -> str:
        chat_no = rng.randint(1, CHATS)
        self.allowed[chat_no] = not self.allowed[chat_no]
        return f"chat {chat_no} {self.allowed[chat_no]}"

    def _delete(self, rng: random.Random) -> str:
        if not self.messages:
            return "delete nothing"
        gone = rng.choice(sorted(self.messages))
        del self.messages[gone]
        return f"delete {gone}"

    def _not_a_face(self, rng: random.Random) -> str:
        if not self.faces:
            return "no face"
        del self.faces[rng.choice(sorted(self.faces))]
        return "not a face"

    def _doubt(self, rng: random.Random) -> str:
        """Let the matcher take a face for nobody's, and a face that it does not know be found."""
        number = rng.randrange(CONTENTS)
        self.add_face(number, None)
        self._give({face for face in self.faces if rng.random() < 0.1} - self.by_hand, None)
        return f"doubt {number}"

    def _answer(self, rng: random.Random) -> str:
        """Say whose a face is, or whose it is not."""
        if not self.faces:
            return "answer nothing"
        face, who = rng.choice(sorted(self.faces)), self._somebody(rng)
        if rng.random() < 0.5:
            self.by_hand.add(face)
            self._give({face}, who)
            return f"{face} is {who.int}"
        self.apart.add((face, who))
        if self.faces[face][1] == who:
            self._give({face}, None)
        return f"{face} is not {who.int}"

    def _score(self, rng: random.Random) -> str:
        self.mood = rng.randrange(1 << 30)
        return "scores move"

    def _ask(self, _: random.Random) -> str:
        self.asks = not self.asks
        return f"asks {self.asks}"

    # Publishing

    def publish(self, max_operations: int | None = None) -> PublishResult:
        return asyncio.run(
            publish(
                self.store,
                self.hub,
                cast(MediaSource, None),
                self.store.hub_,
                PublishOptions(max_operations, self.policy, self.doubts()),
                pace=no_pace,
                faces=cast(CropSource, Faces()),
                now=lambda: NOW,
                draw=lambda: next(self._random_ids),
            )
        )

    def dies_publishing(self, at_write: int, *, has_effect: bool) -> bool:
        """Publish and die of it at a write; false where there are fewer writes."""
        self.hub.dies = (self.hub.writes + at_write, has_effect)
        try:
            self.publish()
        except Died:
            return True
        finally:
            self.hub.dies = None
        return False

    def plan(self) -> Plan:
        hub, doubts = self.store.hub_, self.doubts()
        return plan(self.store, hub, now=NOW, policy=self.policy, doubts=doubts)

    # What must hold

    def require_no_double(self) -> None:
        for topic in self.hub.topics_.values():
            keys = [post.content_key for post in topic.posts]
            assert len(keys) == len(set(keys)), f"twice in {topic.title}"

    def require_converged(self) -> None:
        """Hold the hub as it is seen against what people and sources come to."""
        wanted = {each.identity.identity_id: each for each in self.projection().wanted}
        topics = {
            key: self.hub.topics_[row.topic_id]
            for key, row in self.store.topics.items()
            if row.topic_id in self.hub.topics_
        }
        assert len(topics) == len(self.hub.topics_), "a topic that nobody knows of"
        for key, somebody in self.people.items():
            self._require_topic(key, somebody, wanted.get(key), topics.get(key), topics)
        self._require_review(topics)

    def asked(self) -> list[Doubt]:
        """What is asked in the hub, as the outbox has it."""
        rows = self.store.projection(self.store.hub_.hub_no).actual.posts
        return [row.doubt for row in rows if row.doubt is not None]

    def may_ask(self, doubt: Doubt) -> bool:
        """Whether it is open and about somebody whom the hub could show."""
        named = {each.identity.identity_id for each in self.projection().wanted}
        return self.asks and doubt.identity_id in named and bool(self.still_asked([doubt]))

    def _require_review(self, topics: dict[IdentityId, HubTopic]) -> None:
        """Hold what is asked against what may be, and to how it reads."""
        topic, asked = topics.get(REVIEW), self.asked()
        assert self.asks or topic is None
        if topic is None:
            assert not [d for d in self.doubts() or () if self.may_ask(d)]
            return
        assert (topic.title, topic.closed) == (REVIEW_TITLE, False)
        assert [(each.text, each.pinned) for each in topic.texts] == [(EXPLANATION, True)]
        assert all(self.may_ask(doubt) for doubt in asked)
        faces = {doubt.face_id for doubt in asked}
        assert len(faces) == len(asked) == len(topic.posts) <= MOST_ASKED
        if len(asked) < MOST_ASKED:
            possible = [doubt for doubt in self.doubts() or () if self.may_ask(doubt)]
            assert {doubt.face_id for doubt in possible} <= faces
        said = {post.content_key: post.text for post in topic.posts}
        for content in self.still_asked(asked):
            assert content.asked is not None
            doubt = content.asked.doubt
            there = topics.get(doubt.identity_id)
            link = None
            if there is not None:
                row = self.store.topics[doubt.identity_id]
                link = f"https://t.me/c/{HUB_CHAT.chat_no}/{row.topic_id}"
            text = caption(content.sources, None, replace(content.asked, link=link))
            assert said[ContentKey(str(doubt.face_id))] == text

    def _require_topic(
        self,
        key: IdentityId,
        somebody: Somebody,
        wanted: WantedTopic | None,
        topic: HubTopic | None,
        topics: dict[IdentityId, HubTopic],
    ) -> None:
        enough = wanted is not None and len(wanted.contents) >= self.policy.min_faces_to_publish
        match somebody.state:
            case IdentityState.VISIBLE if enough and wanted is not None:
                assert topic is not None, f"no topic of {key.int}"
                self._require_complete(topic, wanted)
            case IdentityState.HIDDEN if enough and wanted is not None:
                keys = {content.content_key for content in wanted.contents}
                if topic is not None:
                    assert topic.closed
                    assert {post.content_key for post in topic.posts} <= keys
            case IdentityState.MERGED if topic is not None:
                self._require_pointing(key, topic, topics)
            case _:
                assert topic is None, f"a topic of {key.int}, who is to have none"

    def _require_complete(self, topic: HubTopic, wanted: WantedTopic) -> None:
        assert (topic.title, topic.closed) == (wanted.title, False)
        assert [(each.text, each.pinned) for each in topic.texts] == [(summary(wanted), True)]
        by_key = {content.content_key: content for content in wanted.contents}
        posted = [by_key[cast(ContentKey, post.content_key)] for post in topic.posts]
        for content in wanted.contents:
            assert content in posted or any(are_near(content, each) for each in posted)
        if self.policy.post_near_copies:
            assert len(posted) == len(wanted.contents)
        named = [line for post in topic.posts for line in post.text.split("\n")]
        assert sorted(named) == sorted(
            line_of(each) for content in wanted.contents for each in content.sources
        )

    def _require_pointing(
        self, key: IdentityId, topic: HubTopic, topics: dict[IdentityId, HubTopic]
    ) -> None:
        goal = self.people[key].into
        while goal is not None and self.people[goal].into is not None:
            goal = self.people[goal].into
        assert goal is not None
        row = self.store.topics[goal]
        assert goal in topics
        assert row.topic_id is not None
        assert topic.closed
        assert topic.posts == []
        (text,) = topic.texts
        assert text.text == pointer(HUB_CHAT, topics[goal].title, row.topic_id)


class Faces:
    """Faces cut out: each is seen as its name."""

    def face(self, face_id: FaceId) -> bytes:
        return str(face_id).encode()


def face_id_of(face: int) -> FaceId:
    return FaceId(UUID(int=face))


def key_of(number: int) -> ContentKey:
    return ContentKey(f"sha256:{number:064x}")


def are_near(one: WantedContent, other: WantedContent) -> bool:
    if one.phash is None or other.phash is None:
        return False
    bits = (one.phash ^ other.phash) & ((1 << 64) - 1)
    return bits.bit_count() <= NEAR_COPY_BITS


def message_ids(house: House) -> set[MessageId]:
    return {key for topic in house.hub.topics_.values() for key in topic.messages}
