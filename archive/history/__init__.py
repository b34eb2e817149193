"""History: which windows a chat has, and how one is read whole, once, and again after a crash.

The rules of ARCHITECTURE 2. Live updates are ``archive.listening``, files ``archive.media_pass``,
the arithmetic of windows ``archive.windows``.

    planning    the windows that a chat does not have yet
    reading     one window: page after page, each stored with the place to go on from
    pages       several pages in flight, handed over in the order of the history
    pace        how many those may be, from how fast Telegram answers
    jumps       from a date, a count or a link to ids, and what reading them will cost
    topics      what the parts of a forum are called
    ports       what all of it asks of Telegram and of the store
"""

from archive.history.planning import PlannedWindows, plan_windows
from archive.history.reading import HistoryResult, read_window

__all__ = ["HistoryResult", "PlannedWindows", "plan_windows", "read_window"]
