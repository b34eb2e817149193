"""Adapters: everything with a socket, a file or a model behind it.

Each adapter implements ports that the use cases of `archive` own, and translates its library's
errors at its edge into the three kinds of error of `archive.errors`. No type of a wrapped library
leaves this package. Only `resources.wiring` imports Dagster, only `resources.telegram` imports
Telethon.
"""
