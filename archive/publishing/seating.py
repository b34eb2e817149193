"""Which people belong into a hub where there are several.

Pure. Every chat belongs to the rule that speaks of it most closely, and to no other; a person
has one topic for each rule that some of their chats belong to, and it shows those chats alone.
Hubs of the same rule share their people out: whoever has a topic in one stays there, and whoever
has none goes to the first that has room. So nobody is ever in two halves, and a hub that is full
is kept up to date all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from archive.ids import ChatNo, IdentityId
from archive.publishing.desired import Policy, priority, shown_people
from archive.publishing.doubts import REVIEW
from archive.publishing.records import ALL_OTHERS, HubNo, HubRule
from archive.publishing.reviewing import MOST_ASKED, in_its_place, review_topic
from archive.publishing.state import Projection, Room, Standing
from archive.publishing.wanted import WantedContent, WantedTopic

# A topic's own message, its summary, and the note that this was pinned.
MESSAGES_A_TOPIC = 3


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """How much a hub holds before nobody new goes there.

    Forums of some hundred thousand messages lose their oldest topics for clients, and Telegram
    lets a forum have about a thousand topics that are shown; below both there has to be room for
    what is still to come for those who are there.
    """

    topics: int = 900
    messages: int = 200_000


ROOM_LIMITS = RoomLimits()


@dataclass(frozen=True, slots=True)
class Seating:
    """Who belongs into one hub.

    Attributes:
        people: They, most wanted first, each with what of them belongs here; and the questions
            that are asked here.
        is_full: Nobody new goes here any more.
        without_room: How many people no hub of the rule has room for.
    """

    people: tuple[WantedTopic, ...]
    is_full: bool = False
    without_room: int = 0


def seat(projection: Projection, policy: Policy, limits: RoomLimits = ROOM_LIMITS) -> Seating:
    """Choose the people of a hub.

    Args:
        projection: With every hub in use, and all people.
        policy: Who is to have a topic at all.
        limits: How much a hub holds.
    """
    mine = next((room for room in projection.rooms if room.hub_no == projection.hub_no), None)
    if mine is None:
        people = _most_wanted(projection, policy)
        return Seating(_with_review(projection, people, projection.wanted))
    projection = _cut_down(projection, mine.rule)
    people = _most_wanted(projection, policy)
    mates = [room for room in projection.rooms if room.rule == mine.rule]
    seats = _Seats(mates, limits, asks=projection.review is not None)
    # Whoever is there comes before whoever is new.
    homes = [seats.home(topic) for topic in people]
    homes = [home or seats.give(topic) for home, topic in zip(homes, people, strict=True)]
    here = [t for t, home in zip(people, homes, strict=True) if home == mine.hub_no]
    home_of = {t.identity.identity_id: home for t, home in zip(people, homes, strict=True)}
    # About whoever has no topic in any of them the first one asks.
    first = mates[0].hub_no
    asked = (
        t
        for t in projection.wanted
        if (home_of.get(t.identity.identity_id) or first) == mine.hub_no
    )
    seated = _with_review(projection, here, asked)
    return Seating(seated, seats.is_full(mine.hub_no), seats.refused)


def _most_wanted(projection: Projection, policy: Policy) -> tuple[WantedTopic, ...]:
    return tuple(sorted(shown_people(projection, policy).values(), key=priority))


def _with_review(
    projection: Projection,
    people: Sequence[WantedTopic],
    asked: Iterable[WantedTopic],
) -> tuple[WantedTopic, ...]:
    """Add the topic of open questions, about some people, where there is to be one."""
    if projection.review is None:
        return tuple(people)
    named = {topic.identity.identity_id for topic in asked if not topic.closed}
    return in_its_place(people, review_topic(projection, people, named))


class _Seats:
    """How full the hubs of one rule are, while people are shared out."""

    def __init__(self, rooms: Sequence[Room], limits: RoomLimits, *, asks: bool) -> None:
        self._rooms = rooms
        self._limits = limits
        self._homes: dict[IdentityId, HubNo] = {}
        for room in reversed(rooms):
            self._homes.update(dict.fromkeys(room.residents, room.hub_no))
        # The topic of open questions is in each, or will be.
        self._kept = {room.hub_no: int(asks or REVIEW in room.residents) for room in rooms}
        self._topics = {
            room.hub_no: len(room.residents - {REVIEW}) + self._kept[room.hub_no] for room in rooms
        }
        expected = MOST_ASKED + MESSAGES_A_TOPIC if asks else 0
        self._expected = {room.hub_no: expected for room in rooms}
        self.refused = 0

    def home(self, topic: WantedTopic) -> HubNo | None:
        """Return where somebody is, and count what is still to come for them there."""
        home = self._homes.get(topic.identity.identity_id)
        if home is not None:
            self._expected[home] += _messages(topic)
        return home

    def give(self, topic: WantedTopic) -> HubNo | None:
        """Let somebody new into the first hub that has room; ``None`` where none has."""
        for room in self._rooms:
            if room.is_open and not self.is_full(room.hub_no, _messages(topic)):
                self._topics[room.hub_no] += 1
                self._expected[room.hub_no] += _messages(topic)
                return room.hub_no
        self.refused += 1
        return None

    def is_full(self, hub_no: HubNo, more: int = MESSAGES_A_TOPIC + 1) -> bool:
        """Whether somebody new with so many messages would be too much; never for the first."""
        if self._topics[hub_no] == self._kept[hub_no]:
            return False
        (room,) = (room for room in self._rooms if room.hub_no == hub_no)
        messages = max(room.messages, self._expected[hub_no])
        return self._topics[hub_no] >= self._limits.topics or (
            messages + more > self._limits.messages
        )


def _messages(topic: WantedTopic) -> int:
    return len(topic.contents) + MESSAGES_A_TOPIC


def _cut_down(projection: Projection, rule: HubRule) -> Projection:
    """Leave those contents and sources that belong to a rule, and whom they show."""
    rules = list(dict.fromkeys(room.rule for room in projection.rooms))
    if len(rules) == 1 and rule == ALL_OTHERS:
        return projection
    belongs: dict[ChatNo, bool] = {}

    def is_ours(chat_no: ChatNo) -> bool:
        if chat_no not in belongs:
            standing = projection.standings.get(chat_no, Standing(chat_no))
            belongs[chat_no] = _rule_of(standing, rules) == rule
        return belongs[chat_no]

    def ours(contents: Sequence[WantedContent]) -> tuple[WantedContent, ...]:
        found = (_ours(content, is_ours) for content in contents)
        return tuple(content for content in found if content is not None)

    shown = ((topic, ours(topic.contents)) for topic in projection.wanted)
    wanted = tuple(replace(topic, contents=contents) for topic, contents in shown if contents)
    review = None if projection.review is None else ours(projection.review)
    return replace(projection, wanted=wanted, review=review)


def _rule_of(standing: Standing, rules: Sequence[HubRule]) -> HubRule | None:
    """Return the rule that speaks of a chat most closely, the first of those that do."""
    best = max(rules, key=lambda rule: rule.closeness(standing.chat_no, standing.tags))
    return best if best.closeness(standing.chat_no, standing.tags) else None


def _ours(content: WantedContent, is_ours: Callable[[ChatNo], bool]) -> WantedContent | None:
    sources = tuple(source for source in content.sources if is_ours(source.chat.chat_no))
    if len(sources) == len(content.sources):
        return content
    return replace(content, sources=sources) if sources else None
