"""Engines, pictures and videos: real ones where the shared data lies, else made here."""

import importlib.util
from pathlib import Path

import pytest

from resources.vision.factory import EngineSpec


@pytest.fixture(scope="session")
def pack_spec(shared_data: Path) -> EngineSpec:
    """The pack of the shared data."""
    models = shared_data / "models" / "insightface"
    return EngineSpec("scrfd_mobilefacenet", models, accept_noncommercial=True)


@pytest.fixture(scope="session")
def six_people() -> bytes:
    """The photo that ships in insightface's wheel: six people, 1280 × 886."""
    spec = importlib.util.find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "data" / "images" / "t1.jpg").read_bytes()
