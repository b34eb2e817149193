"""People, faces and decisions as rows of output: the same names wherever they are shown.

Only which fields are shown and what they are called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from archive.chats.references import message_link
from archive.finding import MemberFace, PersonCard
from archive.identity.events import Decision, LoggedDecision, Membership, Register, Standing
from archive.ids import ChatNo, DecisionId, FaceId, IdentityId
from archive.records import Chat
from archive.searching import Sighting

Row = dict[str, object]
Titles = Mapping[IdentityId, str]

_FACE_DIGITS = 8


def short(face_id: FaceId) -> str:
    """Name a face by the beginning of its id, as commands take it."""
    return str(face_id)[:_FACE_DIGITS]


def undo_command(decision_id: DecisionId) -> str:
    """Give the command that takes a decision back."""
    return f"face-archive identities undo {decision_id}"


def titled(card: PersonCard) -> str:
    """Name a person so that a command can be told who is meant."""
    return f"#{card.identity.number} {card.identity.title}"


def card_row(card: PersonCard) -> Row:
    """Show a person."""
    return {
        "number": card.identity.number,
        "name": card.identity.title,
        "state": str(card.identity.state),
        "faces": card.faces,
        "contents": card.contents,
        "confirmed": card.confirmed,
        "first_seen": f"{card.first_seen:%Y-%m-%d}" if card.first_seen else None,
        "last_seen": f"{card.last_seen:%Y-%m-%d}" if card.last_seen else None,
        "cover": short(card.cover) if card.cover else None,
        "version": card.version,
        "identity_id": card.identity.identity_id,
    }


def face_row(face: MemberFace, seen: Sighting | None, chats: Mapping[ChatNo, Chat]) -> Row:
    """Show a face of a person, and where it is seen."""
    box = face.box
    return {
        "face": short(face.face_id),
        "decided_by": str(face.decided_by),
        "similarity": round(face.similarity, 2),
        "quality": round(face.quality, 2),
        "pixels": round(box.side),
        "seconds": round(face.frame_seconds, 2),
        **sighting_row(seen, chats),
        "box": [round(side) for side in (box.x1, box.y1, box.x2, box.y2)],
        "content_key": face.content_key,
        "face_id": face.face_id,
    }


def sighting_row(seen: Sighting | None, chats: Mapping[ChatNo, Chat]) -> Row:
    """Tell the first message that shows a face, as far as it still does."""
    chat = chats.get(seen.chat_no) if seen else None
    return {
        "sent_at": seen.sent_at.isoformat() if seen else None,
        "chat": chat.title if chat else None,
        "chat_no": seen.chat_no if seen else None,
        "message_id": seen.message_id if seen else None,
        "link": message_link(chat, seen.message_id) if seen and chat else None,
        "more_messages": seen.others if seen else 0,
    }


def decision_row(decision: Decision, titles: Titles) -> Row:
    """Show what was decided."""
    return {
        "decision": decision.decision_id,
        "kind": str(decision.kind),
        "what": "; ".join(_words(decision, titles)),
    }


def logged_row(logged: LoggedDecision, titles: Titles) -> Row:
    """Show what was decided, when and by whom."""
    decision = logged.decision
    return {
        "decided_at": f"{logged.decided_at:%Y-%m-%d %H:%M:%S} UTC",
        "by": decision.actor,
        **decision_row(decision, titles),
        "undoes": decision.undoes,
        "undone_by": logged.undone_by,
        "cause": decision.cause,
    }


def named_in(decision: Decision) -> set[IdentityId]:
    """Give the identities that a decision speaks of."""
    found = {write.cell.identity_id for write in decision.writes}
    found |= {write.left for write in decision.writes}
    values = [write.value for write in decision.writes]
    found |= {value.identity_id for value in values if isinstance(value, Membership)}
    found |= {value.merged_into for value in values if isinstance(value, Standing)}
    return {each for each in found if each is not None}


def _words(decision: Decision, titles: Titles) -> Iterator[str]:
    """Say in words what a decision wrote, people first."""
    moves: Counter[tuple[str, str]] = Counter()
    links: Counter[str] = Counter()
    for write in decision.writes:
        cell, value = write.cell, write.value
        whose = titles.get(cell.identity_id, "somebody") if cell.identity_id else ""
        match cell.register:
            case Register.FACE:
                goal = value.identity_id if isinstance(value, Membership) else None
                moves[_title(write.left, titles), _title(goal, titles)] += 1
            case Register.LABEL:
                yield f"{whose} is called {value!r}" if value else f"{whose} has no name"
            case Register.STATE:
                yield f"{whose} {_standing(value, titles)}"
            case Register.COVER:
                yield f"cover of {whose}: {str(value)[:_FACE_DIGITS] if value else 'automatic'}"
            case Register.SUPPRESSED:
                face = str(cell.face_id)[:_FACE_DIGITS]
                yield f"{face} is {'no' if value else 'a'} face"
            case Register.LINK:
                links[str(value or "no")] += 1
    for (left, to), count in moves.items():
        whose = f" of {to}" if left == to else f": {left} → {to}"
        yield f"{_faces(count)}{whose}"
    for kind, count in links.items():
        yield f"{count} {kind}-links"


def _standing(value: object, titles: Titles) -> str:
    if not isinstance(value, Standing):
        return "is no more"
    if value.merged_into is not None:
        return f"is merged into {_title(value.merged_into, titles)}"
    return f"is {value.state}"


def _title(identity_id: IdentityId | None, titles: Titles) -> str:
    return "nobody" if identity_id is None else titles.get(identity_id, "somebody")


def _faces(count: int) -> str:
    return "1 face" if count == 1 else f"{count} faces"
