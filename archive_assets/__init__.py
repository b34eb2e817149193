"""Dagster's view of the archive: the asset graph, its checks and its jobs.

One module an asset group; an asset reads its key, calls one use case of `archive` and returns
counts. What starts runs by itself is in `sensors`, what the assets work with in `resources`.
"""

import warnings

import dagster as dg

# Chosen knowingly: one window a run, and checks of one window. Said once here instead of on the
# terminal of everyone who starts a command.
warnings.filterwarnings("ignore", message=".*backfill_policy", category=dg.BetaWarning)
warnings.filterwarnings("ignore", message=".*partitions_def", category=dg.PreviewWarning)
