"""How a person refers to a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

import pytest

from archive.errors import Permanent
from archive.finding import PersonCard, find_identity
from archive.identity.records import Identity, IdentityState
from archive.ids import IdentityId


def card(
    number: int, label: str | None = None, state: IdentityState = IdentityState.VISIBLE
) -> PersonCard:
    identity = Identity(IdentityId(UUID(int=number)), number, label, state)
    return PersonCard(identity, 1, number, 1, 0, None, None, None)


class People:
    """A register of some people; the second became the first."""

    def __init__(self, *cards: PersonCard) -> None:
        self._cards = {each.identity.identity_id: each for each in cards}

    def numbered(self, number: int) -> IdentityId | None:
        return self.heir(IdentityId(UUID(int=number)))

    def heir(self, identity_id: IdentityId) -> IdentityId | None:
        if identity_id == UUID(int=2):
            return IdentityId(UUID(int=1))
        return identity_id if identity_id in self._cards else None

    def called(self, name: str) -> Sequence[IdentityId]:
        return self._where(lambda label: label == name.lower())

    def called_like(self, part: str, *, most: int) -> Sequence[IdentityId]:
        return self._where(lambda label: part.lower() in label)[:most]

    def cards(self, identity_ids: Collection[IdentityId]) -> Sequence[PersonCard]:
        return [each for key, each in self._cards.items() if key in identity_ids]

    def _where(self, fits: object) -> list[IdentityId]:
        assert callable(fits)
        return [
            key
            for key, each in self._cards.items()
            if each.identity.label and fits(each.identity.label.lower())
        ]


PEOPLE = People(
    card(1, "Ada Lovelace"),
    card(3),
    card(12, "Tom"),
    card(13, "tom"),
    card(14, "7"),
    card(15, None, IdentityState.WITHDRAWN),
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        (" #3 ", 3),
        ("Person 3", 3),
        ("ADA lovelace", 1),
        ("2", 1),
        (str(UUID(int=3)), 3),
        (str(UUID(int=2)), 1),
    ],
)
def test_a_person_is_found_by_whatever_names_only_them(text: str, number: int) -> None:
    assert find_identity(PEOPLE, text).identity.number == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Tom", r"means 2 people.*#12 Tom \(12 faces\), #13 tom \(13 faces\)"),
        ("lovelace", r"Did you mean #1 Ada Lovelace \(1 faces\)\?"),
        ("7", "Nobody is known as '7'"),
        (str(UUID(int=99)), "Nobody is known"),
        ("", "identities list"),
        ("15", "#15 is withdrawn"),
    ],
)
def test_what_names_nobody_or_several_is_refused_with_candidates(text: str, said: str) -> None:
    with pytest.raises(Permanent, match=said):
        find_identity(PEOPLE, text)
