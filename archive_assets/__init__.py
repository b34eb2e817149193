"""The Dagster graph: assets, partitions, checks and jobs.

An asset reads its partition key, calls one use case of `archive` with adapters of `resources`
and returns counts and surrogate ids as metadata; logic that outgrows this belongs in `archive`.
`definitions.py` is the one code location that `workspace.yaml` names. What starts runs by
itself is in `sensors`.
"""

import warnings

import dagster as dg

# Chosen knowingly: one window a run, and checks of one window. Said once here instead of on the
# terminal of everyone who starts a command.
warnings.filterwarnings("ignore", message=".*backfill_policy", category=dg.BetaWarning)
warnings.filterwarnings("ignore", message=".*partitions_def", category=dg.PreviewWarning)
