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
    """Keep full runs in `RESULTS.md`; claims that were not run stay as they were measured."""
    rows, details = _kept(path)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for outcome in outcomes:
        rows[outcome.claim.id] = _row(outcome, today)
        details[outcome.claim.id] = f"- `{outcome.claim.id}`: {outcome.detail}"
    text = [
        "# Results",
        "",
        f"{machine()}. Full sizes; the machine does nothing else unless a note says so.",
        "Written by `python -m benchmarks --record [NAME …]`.",
        "",
        "| claim | measured | ours | peer | unit | ratio | bar | holds | date |",
        "|---|---|---:|---:|---|---:|---|---|---|",
        *(rows[name] for name in sorted(rows)),
        "",
        *(details[name] for name in sorted(details)),
        "",
    ]
    path.write_text("\n".join(text), encoding="utf-8")


def _kept(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Read the rows and the details that are there, each by its claim."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    details = {line.split("`")[1]: line for line in lines if line.startswith("- `")}
    return rows, details


def _row(outcome: Outcome, date: str) -> str:
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
        date,
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
