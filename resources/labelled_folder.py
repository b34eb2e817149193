"""Labelled photos in a folder: one sub-folder a person, whose name is the label.

The largest face of a photo is the person's; bystanders are nobody's. Photos are looked at by the
model in use as the media pass looks at them, and nothing of them is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from archive.errors import ItemRejected, Permanent
from archive.faces.records import FoundFace, MediaAnalysis
from archive.identity.comparisons import LabelledFaces
from archive.identity.records import FaceVector, Vectors
from archive.ids import content_key, new_face_id
from resources.vision.analyst import Analyst

_NO_DATE = datetime.fromtimestamp(0, UTC)


class LabelledFolder:
    """Satisfies `archive.calibrating.Labels`.

    Attributes:
        skipped: Photo → why it gave no label, once `labelled` has gone through them.
    """

    def __init__(
        self,
        folder: Path,
        analyst: Analyst,
        on_photo: Callable[[int, int | None], None] = lambda done, of: None,
    ) -> None:
        """Take a folder.

        Args:
            folder: With a sub-folder a person.
            analyst: Runs the model in use.
            on_photo: Called with how many photos are done, and of how many.
        """
        self._folder = folder
        self._analyst = analyst
        self._on_photo = on_photo
        self.skipped: dict[Path, str] = {}

    def labelled(self, model: str, min_quality: float) -> LabelledFaces:
        """Give the largest face of each photo that is good enough to be compared.

        Raises:
            Permanent: There is no sub-folder with a file.
        """
        photos = sorted(path for path in self._folder.glob("*/*") if path.is_file())
        if not photos:
            raise Permanent(
                f"{self._folder} has no labelled photos: it takes one sub-folder a person, named "
                "like the person, with that person's photos in it."
            )
        faces: list[FaceVector] = []
        vectors: list[Vectors] = []
        people: list[str] = []
        for done, photo in enumerate(photos, start=1):
            looked = self._look(photo, min_quality)
            if looked is not None:
                faces.append(looked[0])
                vectors.append(looked[1])
                people.append(photo.parent.name)
            self._on_photo(done, len(photos))
        rows = np.stack(vectors) if vectors else np.empty((0, 0), dtype=np.float32)
        return LabelledFaces(tuple(faces), rows, tuple(people), by_hand=len(people))

    def _look(self, photo: Path, min_quality: float) -> tuple[FaceVector, Vectors] | None:
        try:
            analysis = self._analyst.analyse(photo.read_bytes(), "image")
        except ItemRejected as exc:
            self.skipped[photo] = exc.reason
            return None
        largest = max(analysis.faces, key=lambda face: face.box.side, default=None)
        if largest is None or largest.quality < min_quality:
            self.skipped[photo] = "no face" if largest is None else "poor face"
            return None
        return _face(analysis, largest), largest.embedding


def _face(analysis: MediaAnalysis, found: FoundFace) -> FaceVector:
    box, digest = found.box, analysis.fingerprint.sha256
    assert digest is not None, "a file that was read whole has a digest"
    return FaceVector(
        face_id=new_face_id(),
        content_key=content_key(digest),
        taken_at=_NO_DATE,
        phash=analysis.fingerprint.phash,
        frame_seconds=found.frame_seconds,
        box=(box.x1, box.y1, box.x2, box.y2),
        quality=found.quality,
        detection_score=found.detection_score,
    )
