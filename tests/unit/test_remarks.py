"""Reading what is said in a hub: which messages are commands, and what titles come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.correcting.people import LONGEST_LABEL
from archive.identity.records import Identity, IdentityState
from archive.ids import new_identity_id
from archive.publishing.visible_text import utf16_units
from archive.publishing.wanted import topic_title
from archive.remarks import LONGEST_ARGUMENT, Command, Verb, read_command, read_title


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/name Ada Lovelace", Command(Verb.NAME, "Ada Lovelace")),
        ("  /NAME   Ada \n Lovelace ", Command(Verb.NAME, "Ada Lovelace")),
        ("/name", Command(Verb.NAME)),
        ("/name    \n\t ", Command(Verb.NAME)),
        ("/merge #12", Command(Verb.MERGE, "#12")),
        ("/merge #999999999999", Command(Verb.MERGE, "#999999999999")),
        ("/notme", Command(Verb.NOT_ME)),
        ("/undo please", Command(Verb.UNDO, "please")),
        ("/Yes", Command(Verb.YES)),
        ("/no it is Bo", Command(Verb.NO, "it is Bo")),
    ],
)
def test_a_command_is_a_slash_a_word_and_one_line(text: str, command: Command) -> None:
    assert read_command(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "name Ada",
        "well, /name Ada",
        "/names Ada",
        "/name@bot Ada",
        "/n\u0430me Ada",
        "//undo",
    ],
)
def test_everything_else_is_none(text: str) -> None:
    assert read_command(text) is None


def test_marks_that_turn_the_reading_direction_are_no_part_of_a_name() -> None:
    assert read_command("/name \u202eadA\u202c\u200f") == Command(Verb.NAME, "adA")
    assert read_title("\u2067Ada\u2069\n") == "Ada"
    assert read_title("\u202e\u200f ") == ""


def test_a_name_that_was_cut_stays_longer_than_any_name_may_be() -> None:
    command = read_command("/name " + " " * 5_000 + "A" * 5_000)

    assert command is not None
    assert LONGEST_LABEL < len(command.argument) <= LONGEST_ARGUMENT


@given(st.text(max_size=400))
def test_a_command_reads_the_same_after_it_was_stored(rest: str) -> None:
    command = read_command(f"/name {rest}")

    assert command is not None
    assert utf16_units(command.argument) <= LONGEST_ARGUMENT
    assert "\n" not in str(command)
    assert read_command(str(command)) == command


@given(st.text(max_size=200))
def test_a_title_taken_for_a_name_gives_the_topic_that_very_title(title: str) -> None:
    """Otherwise renaming a topic back would be heard as a name, and so for ever."""
    name = read_title(title)
    identity = Identity(new_identity_id(), 12, name or None, IdentityState.VISIBLE)

    assert topic_title(identity) == (name or "Person 12")
    assert read_title(topic_title(identity)) == topic_title(identity)
