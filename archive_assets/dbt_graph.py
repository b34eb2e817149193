"""What Dagster shows of the dbt project: its assets and checks, prepared once and kept.

Reading the project takes dbt some seconds and importing it more than one, and every run is a
process that loads the definitions. So the project is read when one of its files changed, by a
process of its own, and what comes of it lies in ``dbt_project/target/<digest>``: dbt's manifest,
which a build needs, and `graph.json`, which the definitions are made of. An image prepares it with
``python -m archive_assets.dbt_graph``.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from archive.errors import Permanent
from resources.warehouse.project import PROJECT, dbt_command, digest_of

if TYPE_CHECKING:
    from dagster_dbt import DagsterDbtTranslator

MANIFEST: Final = "manifest.json"
_GRAPH: Final = "graph.json"
_LIBRARIES: Final = ("dbt-core", "dbt-duckdb", "dagster-dbt")

# What each of dbt's tests says of a column, in a sentence for a person.
_SENTENCES: Final[Mapping[str, str]] = {
    "not_null": "`{column_name}` is never empty.",
    "unique": "`{column_name}` is never the same in two rows.",
    "accepted_values": "`{column_name}` is one of: {values}.",
    "relationships": "Every `{column_name}` is there as `{field}` in {to}.",
    "at_least": "`{column_name}` is never below {value}.",
    "recent": "The newest `{column_name}` is less than {days} days old.",
    "unique_together": "No two rows have the same {columns}.",
}


@dataclass(frozen=True, slots=True)
class Model:
    """One model as an asset.

    Attributes:
        deps: Names of the assets that it is made of.
        columns: Name, type and description of each.
    """

    name: str
    description: str
    deps: Sequence[str]
    columns: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One test as a check of an asset."""

    name: str
    asset: str
    description: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The project as Dagster shows it."""

    models: Sequence[Model]
    checks: Sequence[Check]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what was prepared."""
        kept = json.loads((folder / _GRAPH).read_text(encoding="utf-8"))
        return cls(
            [Model(**each) for each in kept["models"]],
            [Check(**each) for each in kept["checks"]],
        )


def prepared() -> Path:
    """Give the folder of what was prepared of the project as it is now; it may take seconds, once.

    Raises:
        Permanent: dbt cannot read the project.
    """
    libraries = [f"{name} {version(name)}" for name in _LIBRARIES]
    folder = PROJECT / "target" / digest_of(Path(__file__), *libraries)
    if not (folder / _GRAPH).exists():
        _prepare(folder)
    return folder


def _prepare(folder: Path) -> None:
    """Read the project in a process of its own; of two that do so at once both bring the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".reading-") as scratch:
        fresh = Path(scratch) / folder.name
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(fresh)],
            cwd=PROJECT.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Permanent(f"dbt cannot read {PROJECT}: {(done.stdout + done.stderr)[-2000:]}")
        for old in folder.parent.iterdir():
            if old.name != Path(scratch).name and not old.name.startswith("."):
                shutil.rmtree(old, ignore_errors=True)
        try:
            fresh.rename(folder)
        except OSError:
            # Somebody else was faster.
            if not (folder / _GRAPH).exists():
                raise


def translator() -> "DagsterDbtTranslator":
    """Say how dbt's nodes are called in Dagster."""
    from dagster import AssetKey

    with warnings.catch_warnings():
        # One of its libraries calls another one outdated.
        warnings.simplefilter("ignore", DeprecationWarning)
        from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

    class Translator(DagsterDbtTranslator):
        """Models by their own names, all snapshots as one asset."""

        def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
            if dbt_resource_props["resource_type"] == "source":
                return super().get_asset_key(dbt_resource_props)
            return AssetKey(dbt_resource_props["name"])

        def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
            return str(dbt_resource_props["description"]).strip()

    settings = DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
    return Translator(settings)


def _graph_of(manifest: Mapping[str, Any]) -> Graph:
    """Translate a manifest with Dagster's own library for it."""
    from dagster_dbt.asset_utils import build_dbt_specs

    specs, checks = build_dbt_specs(
        translator=translator(),
        manifest=manifest,
        select="fqn:*",
        exclude="",
        selector="",
        io_manager_key=None,
        project=None,
    )
    nodes = {each["name"]: each for each in manifest["nodes"].values()}
    models = [
        Model(
            spec.key.to_user_string(),
            spec.description or "",
            sorted({dep.asset_key.to_user_string() for dep in spec.deps}),
            [
                (name, column["data_type"], column["description"].strip())
                for name, column in nodes[spec.key.to_user_string()]["columns"].items()
            ],
        )
        for spec in sorted(specs, key=lambda spec: spec.key)
    ]
    return Graph(
        models,
        [
            Check(each.name, each.asset_key.to_user_string(), _sentence(nodes[each.name]))
            for each in sorted(checks, key=lambda each: (each.asset_key, each.name))
        ],
    )


def _sentence(test: Mapping[str, Any]) -> str:
    """Say what a test asks for; a test of our own says it itself."""
    metadata = test.get("test_metadata")
    if not metadata:
        return str(test["description"]).strip()
    words = {
        name: ", ".join(value) if isinstance(value, list) else str(value)
        for name, value in metadata["kwargs"].items()
    }
    if "to" in words:
        words["to"] = words["to"].split("'")[1]
    return _SENTENCES[metadata["name"]].format(**words)


def main(folder: Path) -> None:
    """Read the project with dbt and write what Dagster needs of it."""
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run(dbt_command("parse", target=folder), env=environment, check=True)
    graph = _graph_of(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    (folder / _GRAPH).write_text(json.dumps(asdict(graph), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else prepared())
