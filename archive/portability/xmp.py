"""Faces as regions in XMP sidecars, for other photo programs and from them.

The Metadata Working Group's Guidelines for Handling Image Metadata 2.0 (2010), section 5.9:
`mwg-rs:Regions` with the dimensions they apply to and a bag of regions, each an area by its centre
and size as shares of the picture, a type and a name. digiKam, Lightroom, Picasa and ExifTool write
it, some as attributes, some as elements: both are read. Photos only: a region has no time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from archive.errors import ItemRejected
from archive.faces.records import Box
from archive.ids import ContentKey
from archive.portability.records import PortedFace, PortedPeople, PortedPerson

_X: Final = "adobe:ns:meta/"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_REGIONS: Final = "http://www.metadataworkinggroup.com/schemas/regions/"
_DIMENSIONS: Final = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_AREA: Final = "http://ns.adobe.com/xmp/sType/Area#"
_PREFIXES: Final = {
    "x": _X,
    "rdf": _RDF,
    "mwg-rs": _REGIONS,
    "stDim": _DIMENSIONS,
    "stArea": _AREA,
}

_FACE: Final = "Face"


@dataclass(frozen=True, slots=True)
class Region:
    """A face in a picture.

    Attributes:
        box: In pixels of the upright picture.
        name: Who it is; None where nobody named them.
    """

    box: Box
    name: str | None


@dataclass(frozen=True, slots=True)
class PictureRegions:
    """The faces of one picture.

    Attributes:
        width: Of the upright picture, in pixels.
        height: Of the upright picture, in pixels.
    """

    width: float
    height: float
    regions: tuple[Region, ...]


def regions_of(
    ported: PortedPeople, sizes: Mapping[ContentKey, tuple[int, int]]
) -> Iterator[tuple[ContentKey, PictureRegions]]:
    """Give the regions of each photo that shows people, in the order of the faces.

    Args:
        ported: The people and their faces.
        sizes: Width and height of each photo that gets a sidecar.
    """
    names = {person.number: person.label for person in ported.people}
    found: defaultdict[ContentKey, list[Region]] = defaultdict(list)
    for face in ported.faces:
        if face.person is not None and face.content_key in sizes:
            found[face.content_key].append(Region(face.box, names[face.person]))
    for key, regions in found.items():
        width, height = sizes[key]
        yield key, PictureRegions(width, height, tuple(regions))


def people_of(pictures: Mapping[ContentKey, PictureRegions]) -> PortedPeople:
    """Give the people whom the regions of pictures name; one name is one person.

    Regions without a name are left out: nothing says whose they are.
    """
    regions = [(key, region) for key, picture in pictures.items() for region in picture.regions]
    names = sorted({region.name for _, region in regions if region.name is not None})
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return PortedPeople(
        tuple(PortedPerson(number, name) for name, number in numbers.items()),
        tuple(
            PortedFace(key, 0.0, region.box, numbers[region.name])
            for key, region in regions
            if region.name is not None
        ),
    )


def write_regions(picture: PictureRegions) -> bytes:
    """Give the text of a sidecar."""
    for prefix, namespace in _PREFIXES.items():
        ElementTree.register_namespace(prefix, namespace)
    root = ElementTree.Element(_tag(_X, "xmpmeta"))
    rdf = ElementTree.SubElement(root, _tag(_RDF, "RDF"))
    about = ElementTree.SubElement(rdf, _tag(_RDF, "Description"), {_tag(_RDF, "about"): ""})
    info = _struct(about, _tag(_REGIONS, "Regions"))
    size = {"w": f"{picture.width:g}", "h": f"{picture.height:g}", "unit": "pixel"}
    ElementTree.SubElement(
        info,
        _tag(_REGIONS, "AppliedToDimensions"),
        {_tag(_DIMENSIONS, name): value for name, value in size.items()},
    )
    listed = ElementTree.SubElement(info, _tag(_REGIONS, "RegionList"))
    bag = ElementTree.SubElement(listed, _tag(_RDF, "Bag"))
    for region in picture.regions:
        _write_region(bag, region, picture)
    ElementTree.indent(root, " ")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def read_regions(sidecar: bytes) -> PictureRegions | None:
    """Read the faces of a sidecar.

    Returns:
        None where it speaks of no face, or does not say of which dimensions.

    Raises:
        ItemRejected: It is no XML, or brings a document type, which no XMP has: entities of one
            can grow without end.
    """
    if b"<!DOCTYPE" in sidecar or b"<!ENTITY" in sidecar:
        raise ItemRejected("not_xmp", "it has a document type")
    try:
        root = ElementTree.fromstring(sidecar)
    except (ElementTree.ParseError, ValueError, LookupError) as exc:
        raise ItemRejected("not_xmp", str(exc)) from exc
    info = next(root.iter(_tag(_REGIONS, "Regions")), None)
    size = None if info is None else next(info.iter(_tag(_REGIONS, "AppliedToDimensions")), None)
    width, height = _number(size, _DIMENSIONS, "w"), _number(size, _DIMENSIONS, "h")
    if info is None or not width or not height:
        return None
    found = [_read_region(item, width, height) for item in info.iter(_tag(_RDF, "li"))]
    regions = tuple(region for region in found if region is not None)
    return PictureRegions(width, height, regions) if regions else None


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}"


def _struct(parent: ElementTree.Element, tag: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, {_tag(_RDF, "parseType"): "Resource"})


def _write_region(bag: ElementTree.Element, region: Region, picture: PictureRegions) -> None:
    item = _struct(bag, _tag(_RDF, "li"))
    box = region.box
    area = {
        "x": (box.x1 + box.x2) / 2 / picture.width,
        "y": (box.y1 + box.y2) / 2 / picture.height,
        "w": box.width / picture.width,
        "h": box.height / picture.height,
    }
    attributes = {_tag(_AREA, name): f"{share:.6f}" for name, share in area.items()}
    attributes[_tag(_AREA, "unit")] = "normalized"
    ElementTree.SubElement(item, _tag(_REGIONS, "Area"), attributes)
    ElementTree.SubElement(item, _tag(_REGIONS, "Type")).text = _FACE
    if region.name is not None:
        ElementTree.SubElement(item, _tag(_REGIONS, "Name")).text = _writable(region.name)


def _writable(name: str) -> str:
    """Leave out what XML cannot hold, escaped or not."""
    return "".join(c for c in name if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))


def _read_region(item: ElementTree.Element, width: float, height: float) -> Region | None:
    area = next(item.iter(_tag(_REGIONS, "Area")), None)
    sides = [_number(area, _AREA, name) for name in ("x", "y", "w", "h")]
    x, y, w, h = (-1.0 if side is None else side for side in sides)
    kind = _text(item, _REGIONS, "Type")
    if kind not in {None, _FACE} or min(x, y) < 0 or min(w, h) <= 0:
        return None
    # A point or a circle has another size; neither is a face's box.
    box = Box((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
    return Region(box, (_text(item, _REGIONS, "Name") or "").strip() or None)


def _text(parent: ElementTree.Element | None, namespace: str, name: str) -> str | None:
    """Read a property, written as an element or as an attribute."""
    if parent is None:
        return None
    tag = _tag(namespace, name)
    for element in parent.iter():
        if tag in element.attrib:
            return element.attrib[tag]
        if element.tag == tag and element.text:
            return element.text
    return None


def _number(parent: ElementTree.Element | None, namespace: str, name: str) -> float | None:
    text = _text(parent, namespace, name)
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    # NaN is no number here, and neither is infinity.
    return number if number is not None and abs(number) < 1e9 else None
