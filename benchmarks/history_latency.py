"""`history.latency`: a chat over a line with latency, against Telethon's own loop."""

from __future__ import annotations

from functools import cache
from typing import Final

from benchmarks.claims import PAIRS, Measurement, claim
from benchmarks.history_stage import IN_FLIGHT, Read, stage

LATENCY_SECONDS: Final = 0.1
QUICK_LATENCY_SECONDS: Final = 0.05


@claim(
    "history.latency",
    title="history at 100 ms latency into PostgreSQL, against iter_messages(wait_time=0)",
    unit="messages/s",
    bar=1.8,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure our whole reading, windows planned and stored, against reading alone."""
    pairs = _pairs(quick)
    return Measurement(
        tuple(ours.messages / ours.seconds for ours, _ in pairs),
        tuple(peer.messages / peer.seconds for _, peer in pairs),
        _detail(pairs[0][0], _latency(quick)),
    )


@claim(
    "history.latency.ideal",
    title="the same reading as a share of what its requests must take at least",
    unit="of requests × latency ÷ in flight",
    bar=0.9,
    absolute=True,
)
def measure_ideal(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare the time of the same readings with that of a client that costs nothing."""
    pairs = _pairs(quick)
    latency = _latency(quick)
    shares = (ours.requests * latency / IN_FLIGHT / ours.seconds for ours, _ in pairs)
    return Measurement(tuple(shares), (), _detail(pairs[0][0], _latency(quick)))


@cache
def _pairs(quick: bool) -> list[tuple[Read, Read]]:  # noqa: FBT001
    """Read the chat both ways, each pair in the other order; once for both claims."""
    with stage(quick=quick, latency_seconds=_latency(quick)) as chat:
        return chat.pairs(PAIRS)


def _latency(quick: bool) -> float:  # noqa: FBT001
    return QUICK_LATENCY_SECONDS if quick else LATENCY_SECONDS


def _detail(ours: Read, latency: float) -> str:
    return (
        f"{latency * 1000:.0f} ms, a made supergroup of {ours.messages} messages, sandbox in a "
        f"process of its own; ours: {IN_FLIGHT} of {ours.requests} requests in flight, without an "
        "account's budget"
    )
