"""The chats of the soak and what happens in them: the same in every trial, to the second.

Four chats of four kinds. Some things happen while old history is being read for the first time
(``first_acts``), others when everything was archived once (``later_acts``): then it is certain
what must be left of them. ``Fleeting`` names what depends on who was quicker.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from PIL import Image

from benchmarks.soak.stage import PHONE
from telegram_sandbox import PLACEHOLDER_COUNT, ChatHandle, Message, Sandbox, Scenario, User
from telegram_sandbox.media import photo

_SEED: Final = 3
_WINDOW: Final = 10_000
# After the last date of a scenario, which begins in 2024.
_ACTS_BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)

Act = Callable[[], object]


@dataclass(slots=True)
class Story:
    """The chats, and who reads them.

    Attributes:
        fleeting: Messages by chat and id of which an older version, or, of deleted ones, any
            version, may never have been seen.
    """

    scenario: Scenario
    owner: User
    friend: User
    family: ChatHandle
    private: ChatHandle
    channel: ChatHandle
    group: ChatHandle
    fleeting: set[tuple[int, int]] = field(default_factory=set)
    successor: ChatHandle | None = None
    _pictures: random.Random = field(default_factory=lambda: random.Random(_SEED))

    @property
    def chats(self) -> list[ChatHandle]:
        """Those that are archived from the start."""
        return [self.family, self.private, self.channel, self.group]

    @property
    def all_chats(self) -> list[ChatHandle]:
        """With the supergroup that the group has become."""
        return [*self.chats, *([self.successor] if self.successor else [])]

    def picture(self) -> bytes:
        """Make a small photo that no other is equal to."""
        rng = self._pictures
        image = Image.new("RGB", (24, 16), tuple(rng.randrange(256) for _ in range(3)))
        for _ in range(40):
            point = rng.randrange(24), rng.randrange(16)
            image.putpixel(point, tuple(rng.randrange(256) for _ in range(3)))
        buffer = io.BytesIO()
        # As large as several parts of a download.
        image.resize((96, 64)).save(buffer, "JPEG", quality=95)
        return buffer.getvalue()

    def text_of(self, chat: ChatHandle, number: int) -> Message:
        """Give the n-th plain text of a chat, counted from the end."""
        plain = [each for each in chat.messages if each.text and each.media is None]
        return plain[-number]

    def photo_of(self, chat: ChatHandle, number: int) -> Message:
        """Give the n-th photo of a chat, counted from the start."""
        return [each for each in chat.messages if each.media is not None][number - 1]


def tell() -> Story:
    """Build the chats as they are before the archive knows of them."""
    scenario = Scenario(seed=_SEED)
    owner = scenario.user("Nora", phone=PHONE)
    friend = scenario.user("Ben")
    story = Story(
        scenario,
        owner,
        friend,
        scenario.supergroup("Family", owner=owner, members=[friend]),
        scenario.private_chat(owner, friend, placeholder_count=PLACEHOLDER_COUNT),
        scenario.channel("News", owner=friend, members=[owner], noforwards=True),
        scenario.group("Flat", owner=owner, members=[friend]),
    )
    _fill(story)
    return story


def _fill(story: Story) -> None:
    owner, friend, picture = story.owner, story.friend, story.picture
    for window in range(2):
        story.family.skip_ids(window * _WINDOW)
        for number in range(110):
            sender = friend if number % 3 else owner
            if number % 11 == 5:
                story.family.photo(sender, picture(), caption=f"photo {window}.{number}")
            else:
                story.family.text(sender, f"line {window}.{number}")
        story.family.album(friend, [picture() for _ in range(3)], caption=f"album {window}")
        story.family.skip_ids(7)
    for number in range(30):
        story.private.text(friend if number % 2 else owner, f"between us {number}")
        story.group.text(friend, f"flat {number}")
        if number % 6 == 0:
            story.private.photo(friend, picture(), caption=f"just for you {number}")
            story.group.photo(owner, picture(), caption=f"kitchen {number}")
            story.channel.photo(friend, picture(), caption=f"news {number}")
        story.channel.text(friend, f"headline {number}")
    for number in range(1, 5):
        story.family.forward(owner, story.photo_of(story.private, number))
        story.private.forward(owner, story.photo_of(story.family, number))
    # The same bytes sent twice are two files and one content.
    twin = picture()
    story.family.photo(owner, twin, caption="twin")
    story.channel.photo(friend, twin, caption="twin")


def first_acts(story: Story) -> list[Act]:
    """What happens while history is read for the first time."""
    family, private, channel, group = story.chats
    friend, owner = story.friend, story.owner
    return [
        lambda: family.photo(friend, story.picture(), caption="just now"),
        lambda: private.text(friend, "are you there?"),
        partial(_edit, story, family, 3, "line, corrected"),
        partial(_delete, story, private, 4),
        lambda: family.album(owner, [story.picture() for _ in range(2)], caption="live album"),
        partial(_delete, story, family, 140),
        lambda: channel.photo(friend, story.picture(), caption="breaking"),
        partial(_edit, story, private, 9, "between us, corrected"),
        lambda: group.photo(friend, story.picture(), caption="new sofa"),
        partial(_edit, story, channel, 2, "headline, corrected"),
        lambda: family.forward(friend, story.photo_of(family, 2)),
        partial(_delete, story, group, 5),
    ]


def later_acts(story: Story) -> list[Act]:
    """What happens when everything was archived once: all of it must be found."""
    family, private, channel, group = story.chats
    friend, owner = story.friend, story.owner
    new_photo = photo(story.scenario.world, _ACTS_BEGIN, data=story.picture())
    doomed = [story.photo_of(family, 1), story.text_of(family, 30), story.text_of(family, 150)]
    return [
        partial(family.edit, story.text_of(family, 20), text="said otherwise"),
        partial(family.edit, story.text_of(family, 170), text="old and said otherwise"),
        lambda: family.delete(*doomed),
        partial(private.edit, story.text_of(private, 12), text="said otherwise"),
        partial(private.delete, story.text_of(private, 20), story.photo_of(private, 1)),
        lambda: private.photo(friend, story.picture(), caption="good night"),
        partial(family.edit, story.photo_of(family, 5), media=new_photo, text="another picture"),
        partial(channel.delete, story.text_of(channel, 15)),
        partial(channel.edit, story.photo_of(channel, 2), text="another caption"),
        partial(group.edit, story.text_of(group, 10), text="said otherwise"),
        partial(group.delete, story.text_of(group, 20)),
        partial(_migrate, story),
        lambda: _moved(story).photo(owner, story.picture(), caption="larger flat"),
        lambda: _moved(story).text(friend, "hello here"),
        lambda: family.photo(owner, story.picture(), caption="last one"),
    ]


def _edit(story: Story, chat: ChatHandle, number: int, text: str) -> None:
    message = story.text_of(chat, number)
    story.fleeting.add((chat.id, message.id))
    chat.edit(message, text=text)


def _delete(story: Story, chat: ChatHandle, number: int) -> None:
    message = story.text_of(chat, number)
    story.fleeting.add((chat.id, message.id))
    chat.delete(message)


def _migrate(story: Story) -> None:
    story.successor = story.group.migrate()


def _moved(story: Story) -> ChatHandle:
    assert story.successor is not None
    return story.successor


async def play(sandbox: Sandbox, act: Act, hour: int) -> None:
    """Let one thing happen in a running sandbox; it is on its way to clients when this returns.

    Args:
        sandbox: Tells everybody who is connected.
        act: What happens.
        hour: When, from the beginning of all that happens.
    """
    world = sandbox.world
    # A sandbox that runs takes dates from the wall clock: those differ from trial to trial.
    world.now(_ACTS_BEGIN + timedelta(hours=hour))
    world.live = False
    try:
        act()
    finally:
        world.live = True
    await asyncio.sleep(0)
