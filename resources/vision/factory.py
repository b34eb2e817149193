"""From settings to a loaded engine, here or in another process.

The spec travels to worker processes; engines do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archive.faces.engine import FaceEngine
from resources.vision.models import DLIB, look_up, require_licence, require_usable
from resources.vision.providers import AUTO


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine to load; small and picklable.

    Attributes:
        model_name: `dlib` or the name of a pack's folder.
        models_dir: Root with a folder `models`; None means insightface's own (~/.insightface).
        accept_noncommercial: Whether a non-commercial licence was accepted.
        providers: What may run it, best first; see `choose_provider`.
        tiled: Whether to look for small faces in large pictures.
    """

    model_name: str
    models_dir: Path | None = None
    accept_noncommercial: bool = False
    providers: tuple[str, ...] = (AUTO,)
    tiled: bool = True

    @property
    def holds_gil(self) -> bool:
        """Whether its workers must be processes; known before anything is loaded."""
        return self.model_name == DLIB

    def build(self) -> FaceEngine:
        """Load the engine.

        Raises:
            Permanent: The licence was not accepted, or files are missing, unreadable or not those
                of this model.
        """
        known = look_up(self.model_name)
        require_usable(known)
        require_licence(known, accept_noncommercial=self.accept_noncommercial)
        if known.kind == "dlib":
            from resources.vision.dlib_engine import DlibEngine

            return DlibEngine.load(known)
        from resources.vision.insightface_engine import InsightFaceEngine

        return InsightFaceEngine.load(known, self.models_dir, self.providers, tiled=self.tiled)


def load_engine(
    model_name: str, models_dir: Path | None = None, *, accept_noncommercial: bool = False
) -> FaceEngine:
    """Load an engine in this process; see `EngineSpec`."""
    return EngineSpec(model_name, models_dir, accept_noncommercial).build()
