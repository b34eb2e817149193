"""`face-archive search`: who looks like the faces of a picture, and where they are seen.

The searching is `archive.searching`; here a picture or a face is read and rows are printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.chats import find_chat
from archive.errors import Permanent
from archive.faces.records import Box, Embedding
from archive.ids import ChatNo, FaceId
from archive.records import Chat
from archive.searching import Found, Within, find_face, search, vector_of
from cli.context import open_toolbox
from cli.identity_rows import sighting_row
from cli.output import emit, progress, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox
    from resources.vision.factory import EngineSpec

Row = dict[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class _Probe:
    """A face that is looked for; `itself` where it is a stored one."""

    vector: Embedding
    place: str
    itself: FaceId | None = None


def search_command(
    probe: Annotated[
        str,
        typer.Argument(
            metavar="PICTURE|FACE",
            help="A picture file, or a stored face: its id or the first six digits of it or more.",
        ),
    ],
    *,
    chat: Annotated[
        str | None, typer.Option(help="Only what this chat shows: number, @name, link or title.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Sent on this day (UTC) or later.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Sent on this day (UTC) or before."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=500, help="Most people, and most faces, for each face.")
    ] = 10,
) -> None:
    """Find the people and the faces most like those of a picture, or like a stored face.

    A likeness is no verdict: from which one a face joins a person depends on the model, and
    `why` tells it. Only chats that allow faces are searched; nothing of the picture is stored.

    For example:

    - `face-archive search holiday.jpg`
    - `face-archive search 3fa94c --chat @ourfamily --since 2024-01-01 --limit 5`
    """
    with open_toolbox() as toolbox:
        chats = {each.chat_no: each for each in toolbox.chats.list()}
        within = _within(chats, chat, since, until)
        # Once: the model in use may change while the picture is looked at.
        spec = toolbox.engine_spec
        model = spec.model_name
        probes = _probes(toolbox, probe, spec)
        found = [
            search(toolbox.face_search, each.vector, model, within, limit=limit, itself=each.itself)
            for each in probes
        ]
    for number, (one, each) in enumerate(zip(probes, found, strict=True), start=1):
        say(f"Face {number} ({one.place}){'' if each.exact else ', found by an index'}:")
        emit(_people(number, each), title="Nearest people", empty="Nobody.")
        emit(
            _faces(number, each, chats),
            title="Nearest faces",
            empty="No face.",
            hide=("probe", "box", "chat_no", "message_id"),
        )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("search")(search_command)


def _within(
    chats: dict[ChatNo, Chat], chat: str | None, since: datetime | None, until: datetime | None
) -> Within:
    return Within(
        find_chat(list(chats.values()), chat).chat_no if chat else None,
        since.replace(tzinfo=UTC) if since else None,
        until.replace(tzinfo=UTC) + timedelta(days=1) if until else None,
    )


def _probes(toolbox: Toolbox, probe: str, spec: EngineSpec) -> list[_Probe]:
    """Read what a person asks about.

    Raises:
        Permanent: It is no picture and no stored face, or the picture shows no face.
        ItemRejected: It cannot be decoded.
    """
    path = Path(probe).expanduser()
    if not path.is_file():
        face_id = find_face(toolbox.face_search, probe)
        vector = vector_of(toolbox.face_search, face_id, spec.model_name)
        return [_Probe(vector, str(face_id), itself=face_id)]
    with progress("Looking for faces"):
        analysis = toolbox.analyst(spec).analyse(path.read_bytes(), "image")
    if not analysis.faces:
        dropped = ", ".join(f"{count} {why}" for why, count in sorted(analysis.rejected.items()))
        raise Permanent(f"no face to look for in {path.name}; dropped: {dropped or 'none'}")
    faces = sorted(analysis.faces, key=lambda face: face.box.x1)
    return [_Probe(face.embedding, f"at {_sides(face.box)}") for face in faces]


def _people(number: int, found: Found) -> Iterator[Row]:
    for person in found.people:
        yield {
            "probe": number,
            "person": person.identity.title,
            "number": person.identity.number,
            "state": str(person.identity.state),
            "similarity": round(person.similarity, 3),
            "nearest_face": str(person.nearest),
        }


def _faces(number: int, found: Found, chats: dict[ChatNo, Chat]) -> Iterator[Row]:
    for face in found.faces:
        yield {
            "probe": number,
            "face": str(face.face_id),
            "similarity": round(face.similarity, 3),
            "person": face.identity.title if face.identity else None,
            **sighting_row(found.sightings.get(face.face_id), chats),
            "seconds": round(face.frame_seconds, 1),
            "box": _sides(face.box),
        }


def _sides(box: Box) -> list[int]:
    return [round(side) for side in (box.x1, box.y1, box.x2, box.y2)]
