"""`face-archive identities draw`: a box on a picture becomes a face.

Reads what a person typed, and connects; the drawing is `archive.drawing`.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archive.drawing import DrawnFace, Picture, draw
from archive.errors import Permanent
from archive.faces.records import Box
from archive.finding import PersonCard
from archive.ids import ContentKey
from cli.context import open_toolbox
from cli.deciding import act_of, person_of, tell
from cli.identity_rows import short, titled
from cli.output import emit, progress, say
from cli.why import media_meant
from resources.telegram.sessions import Lane

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_CONTENT: Final = re.compile(r"(sha256|tgdoc):\S+")


def draw_command(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="LINK|MEDIUM|CONTENT",
            help="A link to the message, or a medium or content as other commands print it.",
        ),
    ],
    box: Annotated[
        str,
        typer.Argument(
            metavar="X1,Y1,X2,Y2", help="From the forehead to the chin, in pixels of the picture."
        ),
    ],
    *,
    whose: Annotated[
        str | None, typer.Option("--as", metavar="PERSON", help="Number, name, or id.")
    ] = None,
    at: Annotated[
        float, typer.Option(metavar="SECONDS", help="Of a video: when it is seen.", min=0.0)
    ] = 0.0,
) -> None:
    """Draw a box around a face that no detector found: it becomes a face like any other.

    The picture is fetched from Telegram again, unless its original is kept. Coordinates count
    from the upper left corner of the picture as it is shown, at its full size.

    For example:

    - `face-archive identities draw https://t.me/c/1234567890/5 410,120,470,200 --as 12`
    - `face-archive identities draw document:5301442900000000001 60,40,140,150 --at 12.5`
    """
    corners = _box(box)
    with open_toolbox() as toolbox:
        card = person_of(toolbox, whose) if whose else None
        picture = toolbox.drawings.picture(_content(toolbox, reference))
        with progress("Fetching and looking"):
            drawn = asyncio.run(_draw(toolbox, picture, corners, at, card))
        emit([_row(picture, drawn, card)], title="Drawn", hide=("content_key", "face_id"))
        if drawn.is_estimated:
            say(
                "No detector sees a face there: where its eyes are is estimated, so it counts for "
                "the person whom you name and is compared with nobody."
            )
        tell(toolbox, *drawn.decisions)


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("draw")(draw_command)


async def _draw(
    toolbox: Toolbox, picture: Picture, box: Box, seconds: float, card: PersonCard | None
) -> DrawnFace:
    async with (
        toolbox.vision(workers=1) as vision,
        toolbox.media_source(Lane.LIVE, picture.chat) as source,
    ):
        return await draw(
            picture,
            box,
            act_of("draw", *([card] if card else [])),
            seconds=seconds,
            whose=card.identity.identity_id if card else None,
            media=source,
            vision=vision,
            store=toolbox.drawings,
            blobs=toolbox.blobs,
            options=toolbox.media_pass_options,
        )


def _box(text: str) -> Box:
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError as exc:
        raise typer.BadParameter(
            "four numbers with commas between them, such as 410,120,470,200.",
            param_hint="X1,Y1,X2,Y2",
        ) from exc
    return Box(x1, y1, x2, y2)


def _content(toolbox: Toolbox, reference: str) -> ContentKey:
    """Find the content that is meant.

    Raises:
        Permanent: None or several are meant, or its file was not fetched yet.
    """
    if _CONTENT.fullmatch(reference):
        return ContentKey(reference)
    media = media_meant(toolbox, reference, toolbox.engine_spec.model_name)
    if len(media) > 1:
        named = ", ".join(medium.media_id for medium in media)
        raise Permanent(f"{reference} carries several media. Name one of them: {named}.")
    if media[0].content_key is None:
        raise Permanent(f"{media[0].media_id} was not looked at yet: `face-archive why` says why.")
    return media[0].content_key


def _row(picture: Picture, drawn: DrawnFace, card: PersonCard | None) -> dict[str, object]:
    face = drawn.face
    return {
        "face": short(drawn.face_id),
        "person": titled(card) if card else None,
        "seconds": round(face.frame_seconds, 2),
        "box": [round(side) for side in (face.box.x1, face.box.y1, face.box.x2, face.box.y2)],
        "quality": round(face.quality, 2),
        "landmarks": "estimated" if drawn.is_estimated else "seen",
        "content_key": picture.content_key,
        "face_id": drawn.face_id,
    }
