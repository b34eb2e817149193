"""Pictures of what was measured and of what the archive knows.

Drawn by matplotlib without a display and without its global state, so any thread may draw. The
same numbers give the same file; no face is in any of them.
"""
