"""People as JSON text, and back: the format of `identities export`.

A face is an object of its own, so that a file of a million can be read by other programs line by
line; whatever has its usual value is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Final

from archive.errors import Permanent
from archive.faces.records import Box
from archive.identity.constraints import LinkKind
from archive.identity.events import DecidedBy
from archive.identity.records import IdentityState
from archive.ids import ContentKey
from archive.portability.records import PortedFace, PortedLink, PortedPeople, PortedPerson

FORMAT: Final = "telegram-face-archive people"
VERSION: Final = 1

_PORTED_STATES: Final = frozenset({IdentityState.VISIBLE, IdentityState.HIDDEN})


def write_document(ported: PortedPeople) -> Iterator[str]:
    """Give the text in pieces; equal people give equal text."""
    yield f'{{"format": {json.dumps(FORMAT)}, "version": {VERSION},\n"people": [\n'
    yield from _lines(map(_person, ported.people))
    yield '],\n"faces": [\n'
    yield from _lines(map(_face, ported.faces))
    yield '],\n"links": [\n'
    yield from _lines(map(_link, ported.links))
    yield "]}\n"


def read_document(text: str) -> PortedPeople:
    """Read what `write_document` wrote.

    Raises:
        Permanent: It is something else, of a later version, or broken.
    """
    try:
        read = json.loads(text)
    except ValueError as exc:
        raise Permanent(f"this is no JSON: {exc}") from exc
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise Permanent("this is no file of `face-archive identities export`")
    if read.get("version") != VERSION:
        raise Permanent(
            f"the file has version {read.get('version')}, this program reads {VERSION}: "
            "import it with the version that wrote it, or a later one"
        )
    try:
        return PortedPeople(
            tuple(_read_person(each) for each in read["people"]),
            tuple(_read_face(each) for each in read["faces"]),
            tuple(_read_link(each) for each in read["links"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise Permanent(f"the file is broken: {type(exc).__name__}: {exc}") from exc


def _lines(objects: Iterator[dict[str, Any]]) -> Iterator[str]:
    for number, each in enumerate(objects):
        line = json.dumps({k: v for k, v in each.items() if v is not None}, ensure_ascii=False)
        yield f",\n{line}" if number else line
    yield "\n"


def _person(person: PortedPerson) -> dict[str, Any]:
    return {
        "number": person.number,
        "name": person.label,
        "state": str(person.state),
        "cover": person.cover,
    }


def _face(face: PortedFace) -> dict[str, Any]:
    box = face.box
    return {
        "content": face.content_key,
        "seconds": face.frame_seconds or None,
        "box": [round(side, 3) for side in (box.x1, box.y1, box.x2, box.y2)],
        "person": face.person,
        "similarity": None if face.person is None else round(face.similarity, 6),
        "decided_by": None if face.person is None else str(face.decided_by),
        "not_a_face": face.suppressed or None,
    }


def _link(link: PortedLink) -> dict[str, Any]:
    return {"faces": [link.face, link.other], "kind": str(link.kind)}


def _read_person(read: Mapping[str, Any]) -> PortedPerson:
    state = IdentityState(read["state"])
    if state not in _PORTED_STATES:
        raise ValueError(f"a person is {state}")
    label, cover = read.get("name"), read.get("cover")
    return PortedPerson(
        int(read["number"]),
        None if label is None else str(label),
        state,
        None if cover is None else int(cover),
    )


def _read_face(read: Mapping[str, Any]) -> PortedFace:
    x1, y1, x2, y2 = (float(side) for side in read["box"])
    if not all(map(isfinite, (x1, y1, x2, y2))):
        raise ValueError("a box has no sides")
    person = read.get("person")
    return PortedFace(
        content_key=ContentKey(str(read["content"])),
        frame_seconds=float(read.get("seconds", 0.0)),
        box=Box(x1, y1, x2, y2),
        person=None if person is None else int(person),
        similarity=max(-1.0, min(1.0, float(read.get("similarity", 1.0)))),
        decided_by=DecidedBy(read.get("decided_by", DecidedBy.PERSON)),
        suppressed=bool(read.get("not_a_face", False)),
    )


def _read_link(read: Mapping[str, Any]) -> PortedLink:
    face, other = (int(end) for end in read["faces"])
    return PortedLink(face, other, LinkKind(read["kind"]))
