"""Snapshots: what the archive knows in numbers, as files that questions are answered from.

Ids, times, counts and labels only: no text of a message, no crop, no vector ever comes here.
``tables`` says which columns there are, ``parts`` which pieces a table is kept in, ``snapshots``
is the use case.
"""
