"""The `face-archive` command, one module for each command group.

A command parses its arguments, calls a use case and shows the result to a person, or as JSON
lines to a program; its exit code means something. Rules and adapters live in the rooms below.
"""
