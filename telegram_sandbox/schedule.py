"""Many faults at once, drawn from a seed.

Here belong the kinds of faults that may be drawn and the schedule that they make. A schedule is
plain data: its seed makes it again, and printed it can be read or pasted into a test.
"""

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from telegram_sandbox.faults import Drop, Fault, Upset
from telegram_sandbox.update_faults import Mishap, UpdateFault

Rule = Fault | UpdateFault
_Draw = Callable[[random.Random, Sequence[str]], Rule]

HISTORY: Final = "messages.getHistory"
FILE: Final = "upload.getFile"
DIFFERENCES: Final = ("updates.getDifference", "updates.getChannelDifference")
READING: Final = (
    HISTORY,
    FILE,
    *DIFFERENCES,
    "channels.getMessages",
    "messages.getMessages",
    "messages.getPeerDialogs",
    "messages.search",
)
"""What an archive asks for: faults that can meet any method meet one of these by default."""

PUBLISHING: Final = (
    "channels.getChannels",
    "messages.createForumTopic",
    "messages.editForumTopic",
    "messages.deleteTopicHistory",
    "messages.sendMedia",
    "messages.sendMultiMedia",
    "messages.sendMessage",
    "messages.editMessage",
    "messages.updatePinnedMessage",
    "channels.deleteMessages",
)
"""What is asked for to bring topics and posts up to date."""

READING_BACK: Final = (
    "messages.getForumTopics",
    "messages.getForumTopicsByID",
    HISTORY,
    "channels.getMessages",
)
"""What is asked for to see whether they still are."""

SHORT_FLOOD_SECONDS: Final = 1
LONG_FLOOD_SECONDS: Final = 3600
DELAY_SECONDS: Final = 0.05


def _any_method(make: Callable[[random.Random, str], Fault]) -> _Draw:
    return lambda rng, methods: make(rng, rng.choice(methods))


def _dropped(when: Drop) -> _Draw:
    return _any_method(lambda _, method: Fault(method, drop=when))


def _error(name: str, method: str | None = None) -> _Draw:
    return lambda rng, methods: Fault(method or rng.choice(methods), error=name)


def _upset(method: str | None, upset: Upset) -> _Draw:
    return lambda rng, methods: Fault(method or rng.choice(methods), upset=upset)


def _push(mishap: Mishap) -> _Draw:
    return lambda _, __: UpdateFault(mishap)


KINDS: Final[dict[str, _Draw]] = {
    "delay": _any_method(lambda rng, m: Fault(m, delay_seconds=rng.uniform(0, DELAY_SECONDS))),
    "flood": _error(f"FLOOD_WAIT_{SHORT_FLOOD_SECONDS}"),
    "long_flood": _error(f"FLOOD_WAIT_{LONG_FLOOD_SECONDS}"),
    "premium_flood": _error(f"FLOOD_PREMIUM_WAIT_{SHORT_FLOOD_SECONDS}", FILE),
    "server_error": _error("INTERNAL_SERVER_ERROR"),
    "logged_out": _error("AUTH_KEY_UNREGISTERED"),
    "drop_before": _dropped(Drop.BEFORE),
    "drop_during": _dropped(Drop.DURING),
    "drop_after": _dropped(Drop.AFTER),
    "drop_midway": _dropped(Drop.MIDWAY),
    "cut_all": _upset(None, Upset.CUT_ALL),
    "new_salts": _upset(None, Upset.NEW_SALTS),
    "short_page": lambda rng, _: Fault(HISTORY, page_limit=rng.randrange(1, 100)),
    "truncated_chunk": lambda rng, _: Fault(FILE, chunk_limit=rng.randrange(1, 4096)),
    "expired_references": _upset(FILE, Upset.EXPIRE_REFERENCES),
    "moved_files": _upset(FILE, Upset.MOVE_FILES),
    "takeout_ended": _upset(HISTORY, Upset.END_TAKEOUTS),
    "difference_too_long": lambda rng, _: Fault(rng.choice(DIFFERENCES), too_long=True),
    "lost_update": _push(Mishap.LOST),
    "doubled_update": _push(Mishap.DOUBLED),
    "late_update": _push(Mishap.LATE),
    "updates_too_long": _push(Mishap.TOO_LONG),
}
"""Every kind of fault that can be drawn, by name."""

QUICK: Final = (
    frozenset(KINDS) - {"flood", "long_flood", "premium_flood", "server_error"} - {"logged_out"}
)
"""Kinds over which no client sleeps for seconds, and after which none has to log in."""


@dataclass(frozen=True, slots=True)
class FaultSchedule:
    """Rules to put in force together: `faults.follow(schedule)`.

    Args:
        seed: what they were drawn from; None for hand-written ones.
        rules: the rules.
    """

    seed: int | None
    rules: tuple[Rule, ...]

    @classmethod
    def random(
        cls,
        seed: int,
        *,
        count: int = 8,
        calls: int = 20,
        kinds: Collection[str] = QUICK,
        longest: int = 2,
        methods: Sequence[str] = READING,
    ) -> Self:
        """Draws a schedule; the same arguments draw the same one.

        Args:
            seed: decides everything.
            count: how many faults.
            calls: a fault meets one of the first so many calls of its method, or pushes.
            kinds: names out of `KINDS`; by default those that take no seconds.
            longest: a fault meets at most so many calls in a row.
            methods: what faults meet that can meet any method.

        Raises:
            KeyError: there is no such kind.
        """
        rng = random.Random(seed)
        names = sorted(kinds)
        rules = []
        for _ in range(count):
            drawn = KINDS[rng.choice(names)](rng, methods)
            times = rng.randint(1, longest)
            rules.append(replace(drawn, first=rng.randint(1, calls), times=times))
        return cls(seed, tuple(rules))

    def and_also(self, *more: Rule) -> Self:
        """Returns a schedule with further rules, such as hand-written ones."""
        return replace(self, rules=(*self.rules, *more))

    def __iter__(self) -> Iterator[Rule]:
        """Goes through the rules."""
        return iter(self.rules)

    def __len__(self) -> int:
        """How many rules there are."""
        return len(self.rules)

    def __str__(self) -> str:
        """Says in a line each what goes wrong when."""
        head = "hand-written faults" if self.seed is None else f"faults of seed {self.seed}"
        return "\n".join([f"{head}:", *(f"  {_line(rule)}" for rule in self.rules)])


def _line(rule: Rule) -> str:
    last = "" if rule.times == 1 else "…" if rule.times is None else f"–{_last(rule)}"
    when = f"{rule.first}{last}"
    if isinstance(rule, UpdateFault):
        return f"push {when}: {rule.mishap.name.lower()}, {rule.mishap.value}"
    said = [
        rule.error,
        f"waits {rule.delay_seconds:.3f} s" if rule.delay_seconds else None,
        f"cut {rule.drop.name.lower()}: {rule.drop.value}" if rule.drop else None,
        f"page of {rule.page_limit}" if rule.page_limit else None,
        f"piece of {rule.chunk_limit} bytes" if rule.chunk_limit else None,
        "too long" if rule.too_long else None,
        rule.upset.value if rule.upset else None,
    ]
    method = rule.method or "any method"
    return f"{method}, call {when}: {'; '.join(each for each in said if each)}"


def _last(rule: Rule) -> int:
    return rule.first + (rule.times or 1) - 1
