"""`history.store`: a chat over a line without latency, into PostgreSQL."""

from __future__ import annotations

from functools import cache

from benchmarks.claims import PAIRS, Measurement, claim
from benchmarks.history_stage import Read, stage


@claim(
    "history.store",
    title="history without latency into PostgreSQL",
    unit="messages/s",
    bar=8_000,
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure our whole reading: windows planned, pages converted, everything committed."""
    pairs = _pairs(quick)
    rates = tuple(ours.messages / ours.seconds for ours, _ in pairs)
    return Measurement(rates, (), _detail(pairs[0][0]))


@claim(
    "history.store.peer",
    title="the same, against Telethon reading alone without storing",
    unit="messages/s",
    bar=0.25,
)
def measure_peer(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare the same readings with Telethon's loop, which keeps nothing."""
    pairs = _pairs(quick)
    return Measurement(
        tuple(ours.messages / ours.seconds for ours, _ in pairs),
        tuple(peer.messages / peer.seconds for _, peer in pairs),
        _detail(pairs[0][0]),
    )


@cache
def _pairs(quick: bool) -> list[tuple[Read, Read]]:  # noqa: FBT001
    """Read the chat both ways, each pair in the other order; once for both claims."""
    with stage(quick=quick, latency_seconds=0.0) as chat:
        return chat.pairs(PAIRS)


def _detail(ours: Read) -> str:
    return (
        f"a made supergroup of {ours.messages} messages, one in ten a photo; sandbox and embedded "
        "PostgreSQL in processes of their own, an empty database each time"
    )
