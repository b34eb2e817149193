"""Remove the vectors that earlier models left, when their time is over."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol


class OldVectors(Protocol):
    """What earlier models left."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep every change of models out.

        Raises:
            Transient: One is being made.
        """
        ...

    def outdated_models(self, now: datetime) -> list[str]:
        """Name the models that were left, whose vectors are kept no longer."""
        ...

    def drop_index(self, model: str) -> None:
        """Remove what search had for a model; going back makes it anew."""
        ...

    def remove(self, model: str) -> int:
        """Remove a batch of a model's vectors; 0 means that all are gone that may go."""
        ...


def expire(store: OldVectors, *, now: datetime) -> int:
    """Remove what is kept no longer; return how many vectors they were.

    Raises:
        Transient: A change of models is being made, which may need them; or the store does not
            answer. Run again it goes on.
    """
    removed = 0
    if not store.outdated_models(now):
        # Every day but some: a migration that takes a week is no reason to fail.
        return removed
    with store.alone():
        for model in store.outdated_models(now):
            store.drop_index(model)
            while batch := store.remove(model):
                removed += batch
    return removed
