"""One `dbt build`, told in Dagster's words.

dbt runs as a process and says in JSON what it does, which Dagster's library for it reads. Neither
is imported before a build begins (see ``dbt_graph``).
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from archive_assets.dbt_graph import translator
from resources.warehouse.building import Building
from resources.warehouse.project import dbt_command, dbt_environment

if TYPE_CHECKING:
    from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

# The event log keeps it.
_ERROR_LENGTH: Final = 2_000


@dataclass(slots=True)
class DbtBuild:
    """What a build came to.

    Attributes:
        made: Models that were built: the name, and the seconds it took.
        checks: How each test ended.
        error: Why the build is no good, in dbt's words; empty where it is.
    """

    made: dict[str, dg.MetadataValue[Any]] = field(default_factory=dict)
    checks: list[dg.AssetCheckResult] = field(default_factory=list)
    error: str = ""

    def materializations(self, rows: Mapping[str, int]) -> Sequence[dg.MaterializeResult[None]]:
        """Tell of each model; a view has no count of rows."""
        return [
            dg.MaterializeResult(
                asset_key=name,
                metadata={
                    "seconds": seconds,
                    **({"dagster/row_count": rows[name]} if name in rows else {}),
                },
            )
            for name, seconds in self.made.items()
        ]


def dbt_build(
    context: dg.AssetExecutionContext, manifest: Path, build: Building, snapshots: Path
) -> DbtBuild:
    """Build every model and run every test, until a model fails that others need.

    Args:
        context: Of the step whose assets the models are.
        manifest: dbt's own description of the project.
        build: Where to.
        snapshots: What from.
    """
    names, nodes = translator(), json.loads(manifest.read_text(encoding="utf-8"))
    said = subprocess.run(
        dbt_command("build", target=build.scratch),
        env={**os.environ, **dbt_environment(build.file, snapshots)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Dagster ends a run by an exception, and that kills the process too.
        check=False,
    )
    done, errors = DbtBuild(), []
    for line in said.stdout.splitlines():
        event = _event(line)
        if event is None or event.raw_event["info"]["level"] == "error":
            errors.append(line if event is None else event.raw_event["info"]["msg"])
        for told in event.to_default_asset_events(nodes, names, context) if event else ():
            _note(told, done)
    if said.returncode != 0:
        done.error = (
            " ".join("\n".join(errors).split())[:_ERROR_LENGTH] or "dbt ended with an error."
        )
    return done


def _event(line: str) -> "DbtCoreCliEventMessage | None":
    """Read a line of dbt's; None for one that is not its own, such as a traceback's."""
    from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

    try:
        return DbtCoreCliEventMessage(json.loads(line), event_history_metadata={})
    except ValueError:
        return None


def _note(told: object, done: DbtBuild) -> None:
    if isinstance(told, dg.AssetCheckResult):
        done.checks.append(told)
    elif isinstance(told, dg.Output):
        seconds = told.metadata.get("Execution Duration")
        done.made[told.output_name] = dg.FloatMetadataValue(0.0) if seconds is None else seconds
