"""What `publish plan` prints."""

import json
from collections.abc import Callable

import pytest

from archive.ids import new_identity_id
from archive.publishing import OpenTopic, Plan
from archive.records import Counts
from cli.publish import show_plan


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[int | None], list[dict[str, object]]]:
    """Shows a plan of three topics at two a minute."""

    def show(max_operations: int | None) -> list[dict[str, object]]:
        topics = tuple(OpenTopic(new_identity_id(), f"Person {n}", 0x6FB9F0) for n in (1, 2, 3))
        show_plan("People", Plan(topics, Counts({"topics": 3})), 2, max_operations)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return show


def test_each_operation_is_a_row_in_its_order_and_the_last_row_sums_up(
    printed: Callable[[int | None], list[dict[str, object]]],
) -> None:
    *operations, summary = printed(None)
    assert [row["operation"] for row in operations] == [f"topic    Person {n}" for n in (1, 2, 3)]
    assert (summary["operations"], summary["minutes"], summary["topics"]) == (3, 1.5, 3)


def test_a_budget_shows_what_this_run_would_do_and_what_it_leaves(
    printed: Callable[[int | None], list[dict[str, object]]],
) -> None:
    *operations, summary = printed(2)
    assert len(operations) == 2
    assert (summary["minutes"], summary["left_for_later"]) == (1.0, 1)
