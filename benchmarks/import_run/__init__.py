"""One import in a process of its own, so that its memory is its own; see `benchmarks.import_speed`.

No claim here: `python -m benchmarks` looks at the modules beside this folder only.
"""
