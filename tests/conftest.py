"""What every test gets: an environment without our settings, and the shared test data.

Fixtures of one kind of test live in that kind's own `conftest.py`; this one stays short.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from resources.settings_source import PLAIN_NAMES, PREFIX

pytest_plugins = ["tests.fixtures.postgres"]

ROOT = Path(__file__).parents[1]

# Read here: tests themselves see none of our settings.
_NAMED = os.environ.get("FACE_ARCHIVE_SHARED")
_SHARED = [Path(_NAMED)] if _NAMED else [ROOT / "shared", ROOT.parent / "shared"]

# How long an example takes says more about the machine than about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Keep the developer's own settings out of the tests, and of what their fixtures start."""
    with pytest.MonkeyPatch.context() as environment:
        for name in list(os.environ):
            if name in PLAIN_NAMES or name.upper().startswith(PREFIX):
                environment.delenv(name)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared test data (photos, videos, a model pack); skips where there is none."""
    for candidate in _SHARED:
        if (candidate / "faces").is_dir():
            return candidate
    pytest.skip("needs the shared test data in ../shared, or where FACE_ARCHIVE_SHARED says")
