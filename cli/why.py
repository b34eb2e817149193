"""`face-archive why`: all detections of one picture, and what decided about each.

The explaining is `archive.why`; here a link is read and rows are printed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archive.chats import find_chat
from archive.chats.references import message_link, parse_message_link
from archive.errors import Permanent
from archive.identity.rules import Rules
from archive.ids import MediaId
from archive.why import Explained, SearchedMedium, explain
from cli.context import open_toolbox
from cli.identity_rows import short
from cli.output import emit, say
from resources.vision.models import look_up

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_MOST_ALIKE: Final = 5
_MEDIUM: Final = re.compile(r"(photo|document|message):\S+")


def why_command(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="LINK|MEDIUM",
            help="A link to the message, or a medium as `failures list` names it.",
        ),
    ],
) -> None:
    """Show every face that was seen in a picture: kept or dropped, whose, and how near to whom.

    A dropped detection is named by its worst fault; it has no vector, so it is near nobody.

    For example:

    - `face-archive why https://t.me/c/1234567890/5`
    - `face-archive why photo:5301442900000000001`
    """
    with open_toolbox() as toolbox:
        model = toolbox.engine_spec.model_name
        rules = _rules(toolbox, model)
        for medium in media_meant(toolbox, reference, model):
            _say_how(medium)
            _say_what_is_like_it(toolbox, medium)
            rows = (
                explain(toolbox.searches, medium.content_key, model, rules)
                if medium.content_key
                else []
            )
            emit(
                (_row(medium, each) for each in rows),
                title=f"Faces seen in {medium.media_id}",
                empty="No face was seen in it.",
                hide=("medium", "box", "frame_seconds", "person"),
            )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("why")(why_command)


def _rules(toolbox: Toolbox, model: str) -> Rules:
    options = toolbox.identify_options
    return Rules.of(
        look_up(model).thresholds,
        min_faces=options.min_faces,
        accept=options.accept,
        min_quality=options.min_quality,
    )


def media_meant(toolbox: Toolbox, reference: str, model: str) -> list[SearchedMedium]:
    """Find the media that a person means by a link or by a medium's name; one at least.

    Raises:
        Permanent: It is no link and no medium, or the archive does not have it.
    """
    if _MEDIUM.fullmatch(reference):
        medium = toolbox.searches.of_medium(MediaId(reference), model)
        found = [medium] if medium else []
    else:
        text, message_id = parse_message_link(reference)
        chat = find_chat(toolbox.chats.list(), text)
        found = toolbox.searches.of_message(chat.chat_no, message_id, model)
    if not found:
        raise Permanent(f"the archive has no picture of {reference}: was its window read?")
    return found


def _say_how(medium: SearchedMedium) -> None:
    products = ", ".join(f"{name} {state}" for name, state in sorted(medium.products.items()))
    say(f"{medium.media_id} ({medium.kind}): {products or 'nothing was made of it yet'}")
    if medium.truncated:
        say("only the beginning of the file arrived: what is missing was not searched")
    if medium.detector:
        dropped = ", ".join(f"{count} {why}" for why, count in sorted(medium.rejected.items()))
        on = f" on {medium.provider}" if medium.provider else ""
        say(f"searched by {medium.detector}{on}; dropped: {dropped or 'none'}")


def _say_what_is_like_it(toolbox: Toolbox, medium: SearchedMedium) -> None:
    like = toolbox.near_copies.like(medium.content_key) if medium.content_key else []
    for each in like[:_MOST_ALIKE]:
        chat = toolbox.chats.get(each.chat_no)
        place = message_link(chat, each.message_id) or f"{chat.title}, message {each.message_id}"
        say(f"looks like {each.media_id} ({each.bits} of 64 bits differ): {place}")
    if len(like) > _MOST_ALIKE:
        say(f"and like {len(like) - _MOST_ALIKE} more")


def _row(medium: SearchedMedium, each: Explained) -> dict[str, object]:
    seen = each.detection
    box = seen.box
    return {
        "medium": medium.media_id,
        "face": short(seen.face_id) if seen.face_id else None,
        "frame_seconds": round(seen.frame_seconds, 2),
        "box": [round(side) for side in (box.x1, box.y1, box.x2, box.y2)],
        "pixels": round(box.side),
        "certain": f"{seen.detection_score:.2f}",
        "quality": f"{seen.quality:.2f}",
        "verdict": each.verdict,
        "person": each.person,
        "nearest": {near.name: f"{near.score:.2f}" for near in each.nearest},
        "margin": None if each.margin is None else f"{each.margin:.2f}",
    }
