"""Reading the questions and asking them; what the files look like is said beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

_PARAMETER: Final = re.compile(r"\$([a-z_]+)\b")
_OPTIONAL: Final = re.compile(r"\$([a-z_]+)(?:::\w+)? IS NULL|coalesce\(\$([a-z_]+)\b")
_OWN: Final = frozenset({"today", "limit"})


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its SQL.

    Attributes:
        name: What it is asked by.
        title: A few words, for a heading.
        about: What the answer shows, in a sentence or two.
        takes: Parameters, all of which have to be given, `None` for an optional one.
        needs: Those of them that may not be `None`.
    """

    name: str
    title: str
    about: str
    sql: str
    takes: frozenset[str]
    needs: frozenset[str]

    def parameters(
        self,
        *,
        today: date,
        limit: int,
        chat: str | None = None,
        person: str | None = None,
        since: date | None = None,
    ) -> dict[str, object]:
        """Give the parameters to ask with; what the question does not take is left out.

        Args:
            today: From which "a month ago" counts.
            limit: Most rows of a ranking.
            chat: Surrogate number of the only chat that counts.
            person: Identity that it is about.
            since: First day (UTC) that counts.
        """
        given = {
            "today": today,
            "limit": limit,
            "chat": chat,
            "person": person,
            "since": since,
        }
        return {name: given[name] for name in sorted(self.takes)}


@cache
def questions() -> dict[str, Question]:
    """Give all questions by name, in the order in which people ask them."""
    found = (
        _read(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for file in files("resources.questions").iterdir()
        if file.name.endswith(".sql")
    )
    return {question.name: question for question in sorted(found, key=_rank)}


_ORDER: Final = (
    *("top", "together", "gone", "new", "months", "weekdays"),
    *("chats", "timeline", "streaks", "copies", "health"),
)


def _rank(question: Question) -> int:
    return _ORDER.index(question.name)


def _read(name: str, text: str) -> Question:
    lines = text.splitlines()
    comment = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    takes = frozenset(_PARAMETER.findall(sql))
    optional = {first or second for first, second in _OPTIONAL.findall(sql)}
    return Question(
        name=name,
        title=comment[0],
        about=" ".join(comment[1:]),
        sql=sql,
        takes=takes,
        needs=takes - optional - _OWN,
    )
