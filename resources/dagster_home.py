"""Dagster's home folder: where its instance is configured, and the environment that names it.

No dagster import: this is a folder and three variables.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from resources.databases import DatabaseUrls

_PROJECT = Path(__file__).parents[1]


def prepare_dagster_home(data_dir: Path) -> Path:
    """Make the folder and bring the project's ``dagster.yaml`` into it; returns the folder."""
    home = data_dir / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_PROJECT / "dagster.yaml", home / "dagster.yaml")
    return home


def child_environment(
    data_dir: Path, urls: DatabaseUrls, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Give the environment for Dagster's processes and the listener.

    Args:
        data_dir: Holds Dagster's home folder.
        urls: The databases, so that no child starts a server of its own.
        environ: What the children inherit.
    """
    return {
        **environ,
        **urls.environment(),
        "DAGSTER_HOME": str(data_dir / "dagster"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
