"""The soak: the real archive against a Telegram that misbehaves by a seed, and what is left of it.

``trial`` runs one schedule of faults from an empty archive to rest. ``story`` is the chats and what
happens in them meanwhile, ``work`` does what Dagster and its sensors would, ``clock`` lets waits
pass quickly, ``picture`` says what the archive holds, so that two can be compared. The benchmark
``telegram.soak`` runs hundreds, a test some.
"""
