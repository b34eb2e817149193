"""The bench's own rules; its figures are for `make bench` on a quiet machine."""

import json

import pytest

from benchmarks.__main__ import main
from benchmarks.claims import Claim, Measurement, NotMeasurable, interleaved, run_claim
from benchmarks.report import as_json, as_text


def claim_of(ours: tuple[float, ...], peer: tuple[float, ...] = (), **changes: object) -> Claim:
    values: dict[str, object] = {
        "id": "room.subject",
        "title": "a thing against another",
        "unit": "things/s",
        "bar": 2.0,
        "better": "higher",
        "absolute": False,
        "measure": lambda _quick: Measurement(ours, peer, "made up"),
    }
    return Claim(**{**values, **changes})  # type: ignore[arg-type]


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    outcome = run_claim(claim_of((20, 30, 90), (10, 10, 10)), quick=True)

    assert (outcome.ratio, outcome.holds) == (3.0, True)


def test_less_time_is_a_higher_ratio() -> None:
    outcome = run_claim(claim_of((5, 5, 5), (8, 8, 8), better="lower"), quick=True)

    assert (outcome.ratio, outcome.holds) == (1.6, False)


def test_an_absolute_bar_needs_no_peer() -> None:
    outcome = run_claim(claim_of((480.0,), absolute=True, better="lower", bar=500), quick=True)

    assert (outcome.ratio, outcome.holds) == (None, True)


def test_two_pairs_are_too_few() -> None:
    with pytest.raises(ValueError, match="3 are needed"):
        run_claim(claim_of((1, 2), (1, 2)), quick=True)


def test_what_cannot_be_measured_neither_holds_nor_fails() -> None:
    def measure(_quick: bool) -> Measurement:  # noqa: FBT001
        raise NotMeasurable("needs a moon")

    outcome = run_claim(claim_of((), measure=measure), quick=True)

    assert outcome.holds is None
    assert "needs a moon" in as_text(outcome)


def test_pairs_take_turns_at_going_first() -> None:
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return 1.0

    interleaved(lambda: run("ours"), lambda: run("peer"))

    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]


def test_a_json_line_has_the_agreed_keys() -> None:
    line = as_json(run_claim(claim_of((4, 4, 4), (1, 1, 1)), quick=True))

    assert set(json.loads(line)) == {
        "id", "unit", "ours", "peer", "ratio", "bar", "holds", "detail",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [["no.such.claim"], ["--record", "--quick"]])
def test_a_call_that_makes_no_sense_says_so(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err
