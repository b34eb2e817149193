"""The demo's Telegram: who is in it, which chats there are, what was sent when.

The only module of the product that builds a sandbox world. The pictures come from `photos`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from archive.errors import Permanent
from cli.demo.photos import group_photo, photos_of, sample_photos, sample_video
from telegram_sandbox import ChatHandle, Message, Scenario, User

PHONE = "+15550100"
_SEED = 20
_PHOTOS_A_PERSON = 8
_START = datetime(2024, 5, 4, 9, 0, tzinfo=UTC)
_BETWEEN_MESSAGES = timedelta(hours=7, minutes=13)

_CHATTER = (
    "What a day!",
    "Who took this one?",
    "The light was lovely by the lake.",
    "Save me some cake.",
    "Look at that grin.",
    "Same place next year?",
    "I have more of these somewhere.",
    "Grandma will love it.",
)
_CAPTIONS = ("At the lake", "Birthday", "Sunday lunch", "First day of the holidays", "", "", "")


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """The world and what the demo needs to name in it.

    Attributes:
        chats: Marked ids of the chats that the owner opts in.
    """

    scenario: Scenario
    chats: tuple[int, ...]


def build_world(faces: Path | None = None) -> DemoWorld:
    """Build a family's group, a club's forum, and their messages.

    Args:
        faces: A folder of photos to send instead of the sample ones.

    Raises:
        Permanent: The folder holds no photo.
    """
    rng = random.Random(_SEED)
    scenario = Scenario(seed=_SEED)
    owner = scenario.user("Nora", "Lindqvist", phone=PHONE)
    family = [scenario.user(name, "Lindqvist") for name in ("Ben", "Iris", "Otto")]
    club = [scenario.user("Pia", "Sommer"), scenario.user("Yusuf", "Aydin")]
    home = scenario.supergroup("Lindqvist family", owner=owner, members=family)
    forum = scenario.supergroup("Rowing club", owner=owner, members=club, forum=True)
    dates = _dates()
    if faces is None:
        _fill_with_samples(home, forum, [owner, *family], club, dates, rng)
    else:
        _fill_from_folder(home, [owner, *family], faces, dates)
    return DemoWorld(scenario, (home.id, forum.id))


def _fill_with_samples(
    home: ChatHandle,
    forum: ChatHandle,
    family: list[User],
    club: list[User],
    dates: Iterator[datetime],
    rng: random.Random,
) -> None:
    """Send the sample photos to the family, some of them to the club too."""
    regatta = forum.topic(club[0], "Regatta")
    sent: list[Message] = []
    for number, photo in enumerate(sample_photos(rng, _PHOTOS_A_PERSON)):
        sender = rng.choice(family)
        caption = rng.choice(_CAPTIONS)
        sent.append(home.photo(sender, photo.data, caption=caption, date=next(dates)))
        if number % 6 == 5:
            home.text(rng.choice(family), rng.choice(_CHATTER), date=next(dates))
    home.document(
        family[0], group_photo(), file_name="everyone.jpg", mime_type="image/jpeg", date=next(dates)
    )
    home.video(family[1], sample_video(rng), duration=6, width=480, height=360, date=next(dates))
    forum.text(club[1], "Photos of the regatta go here.", topic=regatta, date=next(dates))
    for original in rng.sample(sent, 4):
        forum.forward(club[0], original, topic=regatta, date=next(dates))


def _fill_from_folder(
    home: ChatHandle, family: list[User], folder: Path, dates: Iterator[datetime]
) -> None:
    senders = cycle(family)
    count = 0
    for count, data in enumerate(photos_of(folder), start=1):  # noqa: B007 - counted for the check
        home.photo(next(senders), data, date=next(dates))
    if count == 0:
        raise Permanent(f"{folder} holds no photo (.jpg, .png, .webp): choose another folder.")


def _dates() -> Iterator[datetime]:
    date = _START
    while True:
        yield date
        date += _BETWEEN_MESSAGES
