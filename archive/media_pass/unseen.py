"""Faces that somebody decided about and the model in use neither sees nor has embedded.

A change of models embeds from crops; where a crop is lost and the new model misses the face in the
picture, it would be like nobody for ever. So it is embedded where it is known to be, as one that a
person drew there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from archive.errors import ItemRejected, Permanent
from archive.faces.errors import WorkerDied
from archive.faces.records import MediaAnalysis, PictureKind
from archive.ids import MediaId
from archive.known_faces import attach
from archive.media_pass.ports import MediaStore, Ranges, Vision


async def with_unseen(
    store: MediaStore,
    vision: Vision,
    media_id: MediaId,
    data: bytes | Ranges,
    kind: PictureKind,
    analysis: MediaAnalysis,
) -> MediaAnalysis:
    """Add to what was seen of a file the faces that are known, decided and lack a vector.

    Raises:
        Transient: The store, or the source of a file read in ranges, does not answer.
    """
    if vision.model is None:
        return analysis
    known = await asyncio.to_thread(
        store.without_vector, media_id, analysis.fingerprint.sha256, vision.model.name
    )
    seen = set(attach(known, analysis.faces).kept)
    drawn = []
    for face in known:
        if face.face_id not in seen:
            # One that cannot be had stays as it is: it must not cost what was seen.
            with suppress(ItemRejected, Permanent, WorkerDied):
                drawn.append(await vision.draw(data, kind, face.box, seconds=face.frame_seconds))
    return replace(analysis, faces=(*analysis.faces, *drawn)) if drawn else analysis
