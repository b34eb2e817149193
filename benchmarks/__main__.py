"""`python -m benchmarks [NAME …] [--json] [--quick] [--record]`: measure what we claim."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence

import benchmarks
from benchmarks.claims import Claim, registered_claims, run_claim
from benchmarks.report import RESULTS, as_json, as_text, machine, record


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen claims.

    Returns:
        0 if every bar holds, 1 if one does not, 2 if the call makes no sense.
    """
    options = _parser().parse_args(arguments)
    claims = _claims()
    unknown = [name for name in options.names if name not in claims]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(claims)}", file=sys.stderr)
        return 2
    if options.record and options.quick:
        print("--record keeps full sizes: leave out --quick", file=sys.stderr)
        return 2
    chosen = [claims[name] for name in options.names] or list(claims.values())
    return _run(chosen, quick=options.quick, as_lines=options.json, keep=options.record)


def _run(chosen: Sequence[Claim], *, quick: bool, as_lines: bool, keep: bool) -> int:
    if not as_lines:
        print(machine(), end="\n\n")
    outcomes = []
    for claim in chosen:
        outcome = run_claim(claim, quick=quick)
        outcomes.append(outcome)
        print(as_json(outcome) if as_lines else as_text(outcome) + "\n", flush=True)
    if keep:
        record(outcomes)
        print(f"written to {RESULTS.name}", file=sys.stderr)
    return int(any(outcome.holds is False for outcome in outcomes))


def _claims() -> dict[str, Claim]:
    """Import every module beside this one; claims register themselves."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name != "__main__":
            importlib.import_module(f"benchmarks.{module.name}")
    return registered_claims()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="claims to run; all if none")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--quick", action="store_true", help="fewer inputs, for a first look")
    parser.add_argument("--record", action="store_true", help=f"keep the figures in {RESULTS.name}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
