"""After the switch: which pictures the new model has to look at, where somebody wants that.

Faces are attached by region, decided ones stay, and new ones are found: see `known_faces`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from archive.faces.records import ModelRecord
from archive.ledger import FACE_PRODUCTS, Limits, Product
from archive.media_pass.records import LedgerChange, Surveyed
from archive.redoing import RedoCost, RedoPlan, made_together, plan_redo
from archive.windows import Window


class Ledger(Protocol):
    """What was made of the media, and by whom."""

    def survey(self, window: Window) -> list[Surveyed]:
        """List the window's media."""
        ...

    def reopen(self, changes: Sequence[LedgerChange]) -> None:
        """Open rows that were made; one that somebody changed meanwhile is left as it is."""
        ...


def cost(ledger: Ledger, windows: Iterable[Window], model: ModelRecord, limits: Limits) -> RedoCost:
    """Say what looking at everything again takes."""
    return sum((plan.cost for plan in _plans(ledger, windows, model, limits)), RedoCost())


def open_pictures(
    ledger: Ledger, windows: Iterable[Window], model: ModelRecord, limits: Limits
) -> RedoCost:
    """Open what another model looked at; killed, it can be asked again."""
    opened = RedoCost()
    for plan in _plans(ledger, windows, model, limits):
        ledger.reopen(plan.changes)
        opened += plan.cost
    return opened


def _plans(
    ledger: Ledger, windows: Iterable[Window], model: ModelRecord, limits: Limits
) -> Iterator[RedoPlan]:
    today = {
        Product.FACES: model.detector_version,
        Product.EMBEDDINGS: model.embedding_version,
    }
    for window in windows:
        yield _plan(ledger.survey(window), today, limits)


def _plan(surveyed: Sequence[Surveyed], today: Mapping[Product, str], limits: Limits) -> RedoPlan:
    """Plan what another model looked at, whole: an open fingerprint brings the window back."""
    stale = plan_redo(surveyed, FACE_PRODUCTS, limits, today=today).changes
    theirs = {change.media_id for change in stale}
    media = [medium for medium in surveyed if medium.file.media_id in theirs]
    return plan_redo(media, made_together(FACE_PRODUCTS), limits)
