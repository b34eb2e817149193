"""`live.latency`: from a message that was sent to the inbox, and to its faces in the archive."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Final

from benchmarks.claims import Measurement, NotMeasurable, claim
from benchmarks.live_poller import Poller
from benchmarks.live_stage import LATENCY_SECONDS, LISTENER, UP, Live, Watch, stage

PAUSE_SECONDS: Final = 0.05
BURST: Final = 40
POLL_SECONDS: Final = 60.0
PHOTOS: Final = 9
_SEED: Final = 3
_LONGEST_SECONDS: Final = 180.0

_IN_INBOX: Final = "SELECT message_id FROM inbox JOIN chats USING (chat_no) WHERE title = 'Family'"
_WITH_FACES: Final = """
SELECT DISTINCT content_sources.message_id
FROM embeddings JOIN faces USING (face_id) JOIN content_sources USING (content_key)
JOIN chats USING (chat_no) WHERE title = 'Family'
"""


@claim(
    "live.latency",
    title="a message that was sent, until it is in the inbox: 95 % of them",
    unit="s",
    bar=1.0,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Send messages one by one and in a burst to a chat that the listener hears."""
    paced = 60 if quick else 400
    with stage() as live, live.running(*LISTENER), Watch(live, _IN_INBOX) as watch:
        _until_heard(live)
        sent = _send(live, paced)
        watch.until_all(sent, seconds=30)
    seen = watch.seen
    missing = len(sent) - len(sent.keys() & seen.keys())
    delays = [seen.get(message_id, float("inf")) - at for message_id, at in sent.items()]
    p95 = quantiles(delays, n=20)[-1]
    return Measurement(
        (p95,),
        (),
        f"{paced} messages at {1 / PAUSE_SECONDS:.0f} a second, then {BURST} at once; median "
        f"{median(delays) * 1000:.0f} ms, longest {max(delays) * 1000:.0f} ms, {missing} missing; "
        f"listener and sandbox in processes of their own, {LATENCY_SECONDS * 1000:.0f} ms a "
        "request",
    )


@claim(
    "live.latency.faces",
    title="a photo that was sent, until its faces are stored, while a backfill runs: median",
    unit="s",
    bar=45.0,
    better="lower",
    absolute=True,
)
def measure_faces(quick: bool) -> Measurement:  # noqa: FBT001
    """Send photos at odd times to a running installation that is busy with old ones."""
    if quick:
        raise NotMeasurable("takes six minutes, because sensors tick every half: no --quick")
    with stage() as live, live.running(*UP), Watch(live, _WITH_FACES) as watch:
        _until_backfilling(live)
        before = _unread(live)
        with Poller(live, POLL_SECONDS) as peer:
            sent = _send_photos(live)
            watch.until_all(sent, seconds=_LONGEST_SECONDS)
            peer.until_all(sent, seconds=_LONGEST_SECONDS)
        after = _unread(live)
    ours = median(watch.seen.get(each, float("inf")) - at for each, at in sent.items())
    theirs = median(peer.seen.get(each, float("inf")) - at for each, at in sent.items())
    return Measurement(
        (ours,),
        (),
        f"{PHOTOS} photos, sensors at 30 s, the whole of `face-archive up`, {before - after} "
        f"windows of a backfill read meanwhile, {after} left; a client that polls each "
        f"{POLL_SECONDS:.0f} s, in the same run, with its model loaded: {theirs:.1f} s",
    )


def _send(live: Live, count: int) -> dict[int, float]:
    """Send messages at a steady pace, then some at once; returns when each was sent."""
    sent: dict[int, float] = {}
    for number in range(count + BURST):
        message_id, sent_at = live.send()
        sent[message_id] = sent_at
        if number < count:
            time.sleep(PAUSE_SECONDS)
    return sent


def _send_photos(live: Live) -> dict[int, float]:
    """Send photos at times that fit no interval; returns when each was sent."""
    rng = random.Random(_SEED)
    sent: dict[int, float] = {}
    for number in range(PHOTOS):
        time.sleep(rng.uniform(10, 40))
        message_id, sent_at = live.send(f"now {number}")
        sent[message_id] = sent_at
    return sent


def _until_heard(live: Live) -> None:
    """Wait until the listener hears every chat; what it begins with is no live update."""
    (account_id,) = live.toolbox.sessions.accounts()
    pulses = live.toolbox.updates.pulses
    _until(live, lambda: not live.toolbox.updates.standing(account_id).unheard, 120)
    _until(live, lambda: pulses()[0].heartbeat_seconds_ago is not None, 60)


def _until_backfilling(live: Live) -> None:
    """Wait until the listener hears, and the first runs of the backfill are over."""
    _until_heard(live)
    _until(live, lambda: _unread(live) < len(live.windows) - 1, 180)


def _unread(live: Live) -> int:
    chats = live.toolbox.chats
    rows = [row for chat in chats.allowed() for row in chats.windows(chat.chat_no)]
    return sum(row.read_at is None for row in rows)


def _until(live: Live, condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.time() + seconds
    while not condition():
        if time.time() > deadline:
            raise RuntimeError(f"The installation did not get going: {live.last_words()}")
        time.sleep(0.1)
