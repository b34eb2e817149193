"""One script for each claim about speed or quality, measured beside a peer in the same run.

Nothing of the product imports this package. `python -m benchmarks` runs the claims, prints ours,
the peer's, their ratio and whether the bar holds, and fails when one does not.
"""
