"""The Dagster graph: assets, partitions, checks, automation and jobs.

An asset reads its partition key, calls one use case of `archive` with adapters of `resources`
and returns counts and surrogate ids as metadata; logic that outgrows this belongs in `archive`.
`definitions.py` is the one code location that `workspace.yaml` names.
"""
