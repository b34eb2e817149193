"""An archive of public figures whose owner decided things, and what must survive another model.

The chat, the photos that come later, the decisions, and how two states of the archive are told
apart. When which process lives and dies is the test's.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, LiteralString

from archive.faces.geometry import iou
from archive.faces.records import Box, FoundFace, MediaAnalysis
from archive.identity.metrics import bcubed
from archive.ids import ContentKey, content_key
from cli.demo.scenario import PHONE, DemoWorld
from telegram_sandbox import ChatHandle, Scenario, User
from tests.fixtures.commands import face_archive
from tests.fixtures.dumps import Dump, dump
from tests.fixtures.hubs import Hub, hub_of
from tests.fixtures.installation import Installation
from tests.fixtures.kills import Worker

COMMAND: Final = [sys.executable, "-c", "from cli.app import main; main()", "models", "migrate"]
NEW_PERSON: Final = "Vladimir_Putin"
HIDDEN: Final = "Hugo_Chavez"
UNNAMED: Final = frozenset({HIDDEN, NEW_PERSON, "Tony_Blair"})

_AT_FIRST: Final = 7
"""Photos of each person but the new one; the others come while the model is changed."""

# Whatever a person or the matcher decided, and what was told in the hub.
DECIDED: Final = (
    *("identities", "assignments", "constraints", "identity_events", "event_payloads"),
    *("suppressed_regions", "faces", "hubs", "topics", "publications"),
)
_WRITES: Final = (
    *("messages.sendMedia", "messages.sendMultiMedia", "messages.forwardMessages"),
    *("messages.sendMessage", "messages.editMessage", "messages.updatePinnedMessage"),
    *("messages.createForumTopic", "messages.editForumTopic", "messages.deleteTopicHistory"),
    *("channels.deleteMessages", "messages.deleteMessages"),
)

_LARGEST_FACES: Final[LiteralString] = """
SELECT DISTINCT ON (content_key) content_key, identities.number
FROM faces
LEFT JOIN assignments USING (face_id)
LEFT JOIN identities USING (identity_id)
ORDER BY content_key, (x2 - x1) * (y2 - y1) DESC
"""
_BYSTANDERS: Final[LiteralString] = """
SELECT face_id, content_key FROM faces LEFT JOIN assignments USING (face_id)
WHERE identity_id IS NULL ORDER BY content_key, x1
"""
_NUMBERS: Final[LiteralString] = """
SELECT content_key, number FROM faces
JOIN assignments USING (face_id) JOIN identities USING (identity_id)
"""
_SHOWN: Final[LiteralString] = """
SELECT coalesce(label, 'Person ' || number), content_key
FROM assignments JOIN faces USING (face_id) JOIN identities USING (identity_id)
WHERE state = 'visible'
"""
_WITHOUT_VECTOR: Final[LiteralString] = """
SELECT count(*) FROM faces CROSS JOIN model_in_use WHERE NOT EXISTS (
    SELECT FROM embeddings
    WHERE embeddings.face_id = faces.face_id AND embeddings.model = model_in_use.model)
"""


@dataclass(frozen=True, slots=True)
class Photo:
    """A file and whom it shows."""

    person: str
    data: bytes

    @property
    def key(self) -> ContentKey:
        return content_key(sha256(self.data).digest())


@dataclass(frozen=True, slots=True)
class State:
    """Everything that can be lost, at one moment.

    Attributes:
        written: How often Telegram was asked to post, edit or delete so far.
    """

    rows: Dump
    hub: Hub
    written: int

    def lost(self, later: State) -> dict[str, list[str]]:
        """Give the decided rows that a later state has no more, by table."""
        gone = {
            name: sorted((Counter(self.rows[name]) - Counter(later.rows[name])).elements())
            for name in DECIDED
        }
        return {name: rows for name, rows in gone.items() if rows}

    def keeps_posts(self, later: State) -> bool:
        """Whether each topic begins, later on, with the very messages that it has now."""
        return all(
            later.hub.get(title, [])[: len(posts)] == posts for title, posts in self.hub.items()
        )


# A chat knows its messages and they know it: to print them would never end.
@dataclass(repr=False)
class Figures:
    """A chat of photos of public figures, of which the last come when they are sent for."""

    world: DemoWorld
    chat: ChatHandle
    owner: User
    photos: list[Photo]
    later: list[Photo]

    def send(self, installation: Installation, photos: Sequence[Photo]) -> None:
        """Send photos, while Telegram runs."""
        for photo in photos:
            installation.telegram.post(self.chat, partial(_sent, self.owner, photo.data))

    def take(self, count: int, person: str | None = None) -> list[Photo]:
        """Give photos that were not sent yet, of one person or of anybody but the new one."""
        wanted = [p for p in self.later if (p.person == person) == (person is not None)]
        taken = [p for p in wanted if person is not None or p.person != NEW_PERSON][:count]
        assert len(taken) == count
        self.later = [p for p in self.later if p not in taken]
        return taken

    def names(self) -> dict[ContentKey, str]:
        return {photo.key: photo.person for photo in self.photos}


def _sent(sender: User, data: bytes, chat: ChatHandle) -> object:
    return chat.photo(sender, data)


def figures(shared_data: Path) -> Figures:
    """Build the chat: some photos of nine people at first, the tenth and the others later."""
    rng = random.Random(10)
    files = sorted((shared_data / "faces" / "lfw10").glob("*/*.jpg"))
    photos = [Photo(path.parent.name, path.read_bytes()) for path in files]
    first, later = list[Photo](), list[Photo]()
    seen = Counter[str]()
    for photo in photos:
        seen[photo.person] += 1
        early = photo.person != NEW_PERSON and seen[photo.person] <= _AT_FIRST
        (first if early else later).append(photo)
    scenario = Scenario(seed=10)
    owner = scenario.user("Nora", phone=PHONE)
    chat = scenario.supergroup("People in the news", owner=owner)
    for photo in rng.sample(first, len(first)):
        chat.photo(owner, photo.data)
    rng.shuffle(later)
    return Figures(DemoWorld(scenario, (chat.id,)), chat, owner, photos, later)


@dataclass
class Archive:
    """An installation of that chat, and the hands of its owner.

    Attributes:
        keys: Of its windows.
    """

    figures: Figures
    installation: Installation
    keys: list[str] = field(default_factory=list)

    def build(self) -> None:
        """Read everything there is, find the people, publish them."""
        self.keys = self.installation.set_up()
        self.catch_up()

    def catch_up(self) -> None:
        """Read what is new, find the people, publish them: the runs that the sensors ask for."""
        self.installation.plan_again()
        self.installation.materialize(self.keys)

    def does(self, *arguments: object) -> str:
        """Type a command that must succeed."""
        done = face_archive(self.installation.environment, *arguments)
        assert done.exit_code == 0, done.output
        return done.output

    def migration(self, *arguments: str) -> Worker:
        """A process that changes the model."""
        return Worker([*COMMAND, *arguments], self.installation)

    def rows(self, statement: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        with self.installation.toolbox.database.transaction() as connection:
            return connection.execute(statement, values).fetchall()

    def state(self) -> State:
        made = self.installation
        return State(dump(made.toolbox.database), hub_of(made), made.requests(*_WRITES))

    def shown(self) -> dict[str, set[str]]:
        """Give the contents that each visible person's topic has to show."""
        expected: dict[str, set[str]] = {}
        for title, key in self.rows(_SHOWN):
            expected.setdefault(title, set()).add(key)
        return expected

    def quality(self) -> float:
        """Give BCubed F of the largest face of each content."""
        names = self.figures.names()
        found = [(names[ContentKey(key)], number) for key, number in self.rows(_LARGEST_FACES)]
        return bcubed([name for name, _ in found], [number for _, number in found]).f

    def number_of(self, person: str) -> int:
        """Give the number that a person got: that of most of their photos."""
        names = self.figures.names()
        numbers = [number for key, number in self.rows(_NUMBERS) if names[key] == person]
        ((number, _),) = Counter(numbers).most_common(1)
        return int(number)

    def model(self) -> str:
        ((model,),) = self.rows("SELECT model FROM model_in_use")
        return str(model)

    def faces_without_vector(self) -> int:
        """Count the faces that the model in use has not embedded."""
        ((count,),) = self.rows(_WITHOUT_VECTOR)
        return int(count)

    def decide(self, unseen: Iterator[tuple[ContentKey, Box]]) -> None:
        """Decide as an owner does, without a face put where it does not belong.

        Args:
            unseen: Faces of bystanders that no detector found so far.
        """
        people = sorted({photo.person for photo in self.figures.photos} - UNNAMED)
        for person in people:
            self.does("identities", "name", self.number_of(person), person.replace("_", " "))
        self.does("identities", "hide", self.number_of(HIDDEN))

        stranger, statue, *_ = [str(face) for face, _ in self.rows(_BYSTANDERS)]
        self.does("identities", "reject", people[0].replace("_", " "), stranger)
        self.does("identities", "not-a-face", statue)

        self.draw(unseen)
        self.does("identities", "begin", self.last_face(), "--name", "A delegate")
        self.draw(unseen)
        self.does("identities", "begin", self.last_face(), "--name", "The same delegate")
        self.does("identities", "merge", "A delegate", "The same delegate", "--yes")

    def draw(self, unseen: Iterator[tuple[ContentKey, Box]]) -> None:
        key, box = next(unseen)
        corners = ",".join(f"{max(0.0, side):.0f}" for side in (box.x1, box.y1, box.x2, box.y2))
        self.does("identities", "draw", key, corners)

    def last_face(self) -> str:
        ((face,),) = self.rows("SELECT face_id FROM faces ORDER BY created_at DESC LIMIT 1")
        return str(face)


def unseen_faces(
    archive: Archive, analyses: dict[ContentKey, MediaAnalysis]
) -> Iterator[tuple[ContentKey, Box]]:
    """Give faces that another model finds in the archive's photos, beside those found already."""
    stored: dict[str, list[Box]] = {}
    for key, *corners in archive.rows("SELECT content_key, x1, y1, x2, y2 FROM faces"):
        stored.setdefault(key, []).append(Box(*corners))

    def is_new(key: ContentKey, face: FoundFace) -> bool:
        return all(iou(face.box, box) < 0.1 for box in stored[key])

    for key in sorted(stored):
        analysis = analyses[ContentKey(key)]
        yield from ((ContentKey(key), f.box) for f in analysis.faces if is_new(ContentKey(key), f))
