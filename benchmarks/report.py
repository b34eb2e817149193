"""How outcomes are shown: a block for a person, a JSON line for a program, a table to keep."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.claims import Outcome, usable_cores

RESULTS = Path(__file__).with_name("RESULTS.md")


def as_json(outcome: Outcome) -> str:
    """Give one line with the keys that ARCHITECTURE names."""
    return json.dumps(
        {
            "id": outcome.claim.id,
            "unit": outcome.claim.unit,
            "ours": outcome.ours,
            "peer": outcome.peer,
            "ratio": outcome.ratio,
            "bar": outcome.claim.bar,
            "holds": outcome.holds,
            "detail": outcome.detail,
        },
        ensure_ascii=False,
    )


def as_text(outcome: Outcome) -> str:
    """Give a few lines for a terminal."""
    claim = outcome.claim
    lines = [f"{claim.id}: {claim.title}"]
    if outcome.ours is not None:
        lines.append(f"  ours   {_figure(outcome.ours)} {claim.unit}")
    if outcome.peer is not None:
        lines.append(f"  peer   {_figure(outcome.peer)} {claim.unit}")
    if outcome.ratio is not None:
        lines.append(f"  ratio  {outcome.ratio:.2f}")
    lines.append(f"  bar    {_bar(outcome)}: {_verdict(outcome)}")
    lines.append(f"  {outcome.detail}")
    return "\n".join(lines)


def machine() -> str:
    """Describe where a run took place: what decides speed, nothing that names the host."""
    cpu_info = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (cpu_info.read_text() if cpu_info.exists() else "").splitlines()
        if line.startswith("model name")
    ]
    cpu = names[0] if names else platform.machine()
    return f"{cpu}, {usable_cores()} cores, {platform.system()}, Python {platform.python_version()}"


def record(outcomes: Sequence[Outcome], path: Path = RESULTS) -> None:
    """Write the last full run to `RESULTS.md`."""
    rows = [_row(outcome) for outcome in outcomes]
    details = [f"- `{o.claim.id}`: {o.detail}" for o in outcomes]
    text = [
        "# Results of the last full run",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. Written by `python -m benchmarks --record`.",
        "",
        "| claim | measured | ours | peer | unit | ratio | bar | holds |",
        "|---|---|---:|---:|---|---:|---|---|",
        *rows,
        "",
        *details,
        "",
    ]
    path.write_text("\n".join(text), encoding="utf-8")


def _row(outcome: Outcome) -> str:
    claim = outcome.claim
    ratio = "–" if outcome.ratio is None else f"{outcome.ratio:.2f}"
    cells = [
        f"`{claim.id}`",
        claim.title,
        _cell(outcome.ours),
        _cell(outcome.peer),
        claim.unit,
        ratio,
        _bar(outcome),
        _verdict(outcome),
    ]
    return f"| {' | '.join(cells)} |"


def _bar(outcome: Outcome) -> str:
    claim = outcome.claim
    if not claim.absolute:
        return f"≥ {claim.bar:g} ×"
    return f"{'≥' if claim.better == 'higher' else '≤'} {claim.bar:g} {claim.unit}"


def _verdict(outcome: Outcome) -> str:
    return {True: "holds", False: "DOES NOT HOLD", None: "not measured"}[outcome.holds]


def _figure(value: float) -> str:
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _cell(value: float | None) -> str:
    return "–" if value is None else _figure(value)
