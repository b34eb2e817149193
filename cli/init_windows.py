"""The last step of `init`: the first windows, and the first people in them.

The same jobs as `catch-up` runs, so many windows and no more; all others are left to `up`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

from archive.errors import Permanent, Transient
from cli.output import emit, progress, say
from cli.unsupervised import alone
from resources.settings import Settings

if TYPE_CHECKING:
    from archive.windows import WindowKey
    from cli.runs import Runner
    from resources.toolbox import Toolbox
    from sensors.runs import Urgency

_PEOPLE_SHOWN: Final = 20


def read_first(settings: Settings, count: int) -> None:
    """Go through the newest windows that are due, then find people, and show them.

    Ctrl-C lets the window under way come to its end; a second one breaks it off.

    Raises:
        Transient: `up` runs, or a window could not be read now.
        Permanent: A window failed.
    """
    from cli.catch_up import windows_due
    from cli.runs import runner
    from resources.toolbox import Toolbox

    with alone(settings) as environment:
        loaded = Settings.load(environ=environment)
        with Toolbox.open(loaded) as toolbox, runner() as dagster, _stopping() as stop:
            due = dict(list(windows_due(toolbox).items())[:count])
            _read(dagster, due, stop)
            if dagster.people().failed:
                raise Permanent("People could not be found: the log above says why.")
            _show(toolbox)
        if stop:
            raise KeyboardInterrupt


def _read(dagster: Runner, due: dict[WindowKey, Urgency], stop: list[int]) -> None:
    with progress("Windows: messages, photos, faces") as advance:
        for number, (key, urgency) in enumerate(due.items()):
            if stop:
                return
            advance(number, len(due))
            outcome = dagster.window(key, urgency)
            if outcome.failed and not stop:
                raise Permanent("A window could not be read: the log above says why.")
            if outcome.left:
                raise Transient("Telegram asks to wait; what was read is kept.")
        advance(len(due), len(due))


def _show(toolbox: Toolbox) -> None:
    people = sorted(toolbox.people.people(), key=lambda each: -each.faces)
    rows = (
        {"number": each.identity.number, "faces": each.faces, "photos_and_videos": each.contents}
        for each in people[:_PEOPLE_SHOWN]
    )
    emit(rows, title="The first people", empty="Nobody was found yet; more windows will tell.")


@contextmanager
def _stopping() -> Iterator[list[int]]:
    """Give a list that Ctrl-C fills, until it is pressed a second time."""
    stop: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        stop.append(number)
        say("It stops after this window; Ctrl-C again breaks it off.")
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
