"""What is ported as text: read back as it was, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ItemRejected, Permanent
from archive.faces.records import Box
from archive.identity.constraints import LinkKind
from archive.identity.events import DecidedBy
from archive.identity.records import IdentityState
from archive.ids import ContentKey
from archive.portability import (
    PictureRegions,
    PortedFace,
    PortedLink,
    PortedPeople,
    PortedPerson,
    Region,
    people_of,
    read_document,
    read_regions,
    regions_of,
    write_document,
    write_regions,
)

PHOTO = ContentKey("sha256:" + "a" * 64)
FILM = ContentKey("tgdoc:7:100")

SIDES = st.floats(-50, 5000, width=16).map(lambda side: round(side, 2))
BOXES = st.tuples(SIDES, SIDES, st.floats(1, 900, width=16), st.floats(1, 900, width=16)).map(
    lambda sides: Box(
        sides[0], sides[1], round(sides[0] + sides[2], 3), round(sides[1] + sides[3], 3)
    )
)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@st.composite
def ported_people(draw: st.DrawFn) -> PortedPeople:
    numbers = draw(st.lists(st.integers(1, 50), unique=True, max_size=4))
    boxes = draw(st.lists(BOXES, max_size=5))
    places = range(len(boxes))
    place = st.sampled_from(places) if boxes else st.none()
    faces = [
        PortedFace(
            draw(st.sampled_from([PHOTO, FILM])),
            draw(st.sampled_from([0.0, 1.5])),
            box,
            draw(st.sampled_from(numbers)) if numbers and draw(st.booleans()) else None,
        )
        for box in boxes
    ]
    faces = [
        replace(
            face,
            similarity=draw(st.sampled_from([0.25, 0.5, 1.0])),
            decided_by=draw(st.sampled_from(DecidedBy)),
        )
        if face.person
        else replace(face, suppressed=draw(st.booleans()))
        for face in faces
    ]
    return PortedPeople(
        tuple(
            PortedPerson(
                number,
                draw(st.none() | NAMES),
                draw(st.sampled_from([IdentityState.VISIBLE, IdentityState.HIDDEN])),
                draw(st.none() | place),
            )
            for number in numbers
        ),
        tuple(faces),
        (PortedLink(0, 1, draw(st.sampled_from(LinkKind))),) if len(faces) > 1 else (),
    )


def text_of(ported: PortedPeople) -> str:
    return "".join(write_document(ported))


@given(ported_people())
def test_what_is_written_is_read_back_as_it_was(ported: PortedPeople) -> None:
    assert read_document(text_of(ported)) == ported


def test_a_face_is_a_line_of_its_own() -> None:
    faces = tuple(PortedFace(PHOTO, 0.0, Box(n, 0, n + 9, 9)) for n in range(3))

    text = text_of(PortedPeople((), faces))

    assert sum(line.startswith('{"content"') for line in text.splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "no JSON"),
        ("[]", "no file of"),
        ('{"format": "other"}', "no file of"),
        ('{"format": "telegram-face-archive people", "version": 2}', "version 2"),
        ('{"format": "telegram-face-archive people", "version": 1}', "broken"),
    ],
)
def test_what_is_no_export_is_refused(text: str, said: str) -> None:
    with pytest.raises(Permanent, match=said):
        read_document(text)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("people", {"state": "erased"}),
        ("people", {"state": "merged"}),
        ("people", {"number": "x"}),
        ("people", {"cover": 7}),
        ("people", {"number": 0}),
        ("people", {"number": 10**9}),
        ("people", {"name": "a" * 101}),
        ("people", {"name": "a\0"}),
        ("faces", {"box": [1, 2, float("nan"), 4]}),
        ("faces", {"box": [1, 2, 3]}),
        ("faces", {"person": 9}),
        ("faces", {"decided_by": "nobody"}),
        ("links", {"faces": [0, 5]}),
        ("links", {"kind": "maybe"}),
    ],
)
def test_a_broken_file_is_refused_as_a_whole(part: str, change: dict[str, object]) -> None:
    faces = (PortedFace(PHOTO, 0.0, Box(0, 0, 9, 9), 1), PortedFace(FILM, 0.0, Box(0, 0, 9, 9)))
    whole = PortedPeople((PortedPerson(1),), faces, (PortedLink(0, 1, LinkKind.MUST),))
    read = json.loads(text_of(whole))
    read[part][0] |= change

    with pytest.raises(Permanent):
        read_document(json.dumps(read))


@given(
    st.lists(BOXES, min_size=1, max_size=3),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1),
)
def test_regions_are_read_back_as_they_were(boxes: list[Box], name: str) -> None:
    inside = [box for box in boxes if (box.x1 + box.x2) >= 0 and (box.y1 + box.y2) >= 0]
    regions = tuple(Region(box, name.strip() or None) for box in inside)

    found = read_regions(write_regions(PictureRegions(1000, 500, regions)))

    if not regions:
        assert found is None
        return
    assert found is not None
    assert (found.width, found.height) == (1000, 500)
    assert [region.name for region in found.regions] == [region.name for region in regions]
    for ours, theirs in zip(regions, found.regions, strict=True):
        for side in ("x1", "y1", "x2", "y2"):
            # Six decimals of a share of 1 000 pixels.
            assert getattr(theirs.box, side) == pytest.approx(getattr(ours.box, side), abs=0.002)


def test_a_name_is_escaped_and_what_xml_cannot_hold_is_left_out() -> None:
    region = Region(Box(0, 0, 10, 10), 'A <b> & "c" \x00\x0b d')

    text = write_regions(PictureRegions(100, 100, (region,)))

    found = read_regions(text)
    assert found is not None
    assert found.regions[0].name == 'A <b> & "c"  d'
    assert b"<b>" not in text


# As digiKam and Lightroom write it: a region in attributes, its list a bag of descriptions.
IN_ATTRIBUTES = b"""<?xml version="1.0"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
 xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"><rdf:Description rdf:about="">
  <mwg-rs:Regions rdf:parseType="Resource">
   <mwg-rs:AppliedToDimensions stDim:w="400" stDim:h="200" stDim:unit="pixel"/>
   <mwg-rs:RegionList><rdf:Bag>
    <rdf:li><rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face">
      <mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.25" stArea:h="0.5"
       stArea:unit="normalized"/></rdf:Description></rdf:li>
    <rdf:li><rdf:Description mwg-rs:Type="Focus">
      <mwg-rs:Area stArea:x="0.1" stArea:y="0.1" stArea:w="0.1" stArea:h="0.1"/>
     </rdf:Description></rdf:li>
   </rdf:Bag></mwg-rs:RegionList>
  </mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>
"""

# As Picasa and ExifTool write it: elements all the way.
IN_ELEMENTS = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:r="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:a="http://ns.adobe.com/xmp/sType/Area#"
 xmlns:d="http://ns.adobe.com/xap/1.0/sType/Dimensions#"><rdf:Description>
  <r:Regions rdf:parseType="Resource">
   <r:AppliedToDimensions rdf:parseType="Resource"><d:w>400</d:w><d:h>200</d:h>
   </r:AppliedToDimensions>
   <r:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource">
     <r:Area rdf:parseType="Resource"><a:x>0.5</a:x><a:y>0.5</a:y><a:w>0.25</a:w><a:h>0.5</a:h>
     </r:Area><r:Name>Ada</r:Name><r:Type>Face</r:Type></rdf:li></rdf:Bag></r:RegionList>
  </r:Regions></rdf:Description></rdf:RDF></x:xmpmeta>
"""


@pytest.mark.parametrize("sidecar", [IN_ATTRIBUTES, IN_ELEMENTS], ids=["attributes", "elements"])
def test_what_other_programs_write_is_read(sidecar: bytes) -> None:
    assert read_regions(sidecar) == PictureRegions(
        400, 200, (Region(Box(150, 50, 250, 150), "Ada"),)
    )


@pytest.mark.parametrize(
    "sidecar",
    [
        b"<x/>",
        IN_ELEMENTS.replace(b"<d:w>400</d:w>", b""),
        IN_ELEMENTS.replace(b"<d:w>400</d:w>", b"<d:w>nan</d:w>"),
        IN_ELEMENTS.replace(b">Face<", b">Pet<"),
        IN_ELEMENTS.replace(b"<a:w>0.25</a:w>", b"<a:w>wide</a:w>"),
    ],
)
def test_a_sidecar_without_a_face_that_can_be_placed_tells_nothing(sidecar: bytes) -> None:
    assert read_regions(sidecar) is None


@pytest.mark.parametrize(
    "sidecar",
    [
        b"",
        b"\xff\xd8\xff\xe0",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b'<?xml version="1.0" encoding="nonsense"?><x/>',
    ],
)
def test_what_is_no_sidecar_is_rejected(sidecar: bytes) -> None:
    with pytest.raises(ItemRejected):
        read_regions(sidecar)


def test_sidecars_tell_of_photos_only_and_of_people_only() -> None:
    faces = (
        PortedFace(PHOTO, 0.0, Box(0, 0, 10, 10), 1),
        PortedFace(PHOTO, 0.0, Box(20, 0, 30, 10), 2),
        PortedFace(PHOTO, 0.0, Box(40, 0, 50, 10), None, suppressed=True),
        PortedFace(FILM, 1.0, Box(0, 0, 10, 10), 1),
    )
    ported = PortedPeople((PortedPerson(1, "Ada"), PortedPerson(2)), faces)

    ((key, picture),) = regions_of(ported, {PHOTO: (640, 480)})

    assert key == PHOTO
    assert [region.name for region in picture.regions] == ["Ada", None]


def test_one_name_is_one_person_over_all_sidecars() -> None:
    pictures = {
        PHOTO: PictureRegions(
            9, 9, (Region(Box(0, 0, 1, 1), "Bob"), Region(Box(0, 0, 2, 2), None))
        ),
        FILM: PictureRegions(
            9, 9, (Region(Box(0, 0, 3, 3), "Bob"), Region(Box(0, 0, 4, 4), "Ada"))
        ),
    }  # fmt: skip

    ported = people_of(pictures)

    assert [(person.number, person.label) for person in ported.people] == [(1, "Ada"), (2, "Bob")]
    assert [(face.content_key, face.person) for face in ported.faces] == [
        (PHOTO, 2), (FILM, 2), (FILM, 1),
    ]  # fmt: skip
