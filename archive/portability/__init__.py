"""Names that survive a move: people as a file, and as regions beside each photo.

Faces are named by what they are on – the content's digest, the frame, the box – because no other
archive knows our ids. Importing makes ordinary decisions, or rather one: it is seen in the
history and undone like any other.

    records     what is ported
    document    the same as JSON text
    xmp         the same as regions of the Metadata Working Group, in sidecar files
    matching    which ported face is which of ours, which ported person is who
    merging     what the two archives say, brought together
    importing   the decision that an import comes to
"""

from archive.portability.document import read_document, write_document
from archive.portability.importing import Imported, ImportStore, import_people
from archive.portability.records import PortedFace, PortedLink, PortedPeople, PortedPerson
from archive.portability.xmp import (
    PictureRegions,
    Region,
    people_of,
    read_regions,
    regions_of,
    write_regions,
)

__all__ = [
    "ImportStore",
    "Imported",
    "PictureRegions",
    "PortedFace",
    "PortedLink",
    "PortedPeople",
    "PortedPerson",
    "Region",
    "import_people",
    "people_of",
    "read_document",
    "read_regions",
    "regions_of",
    "write_document",
    "write_regions",
]
