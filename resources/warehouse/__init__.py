"""The warehouse: what the archive knows, laid out for questions.

One DuckDB file of marts. It is built anew beside the one in use and takes its place in one
rename, so a reader never waits and never sees half a build; nothing in it is a source of truth.
"""
