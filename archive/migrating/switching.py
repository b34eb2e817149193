"""Carry a migration on: embed what is missing, judge, and use the other model from then on.

Whoever calls holds `MigrationStore.alone`. Ended at any point, by a kill too, the next call goes on
where it was; nothing but vectors of the other model is added before the switch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.calibrating import Labels, local_threshold
from archive.errors import Permanent
from archive.faces.records import ModelRecord
from archive.migrating.embedding import embed_missing
from archive.migrating.judging import Contender, Evaluation, Verdict, judge, too_many_refused
from archive.migrating.ports import (
    KEPT_FOR,
    Crops,
    Embedder,
    Migration,
    MigrationState,
    MigrationStore,
    Wishes,
)

_SOURCE = "archive"  # as `calibrate` calls the archive's own labels


class Stop(StrEnum):
    """Why a call ended."""

    SWITCHED = "switched"
    TIME = "time is over"
    WORSE = "the other model is worse"
    REFUSED = "too many faces are refused"


@dataclass(frozen=True, slots=True)
class Carried:
    """What one call came to.

    Attributes:
        embedded: Faces that were embedded by it.
        estimated: Those of them whose landmarks were estimated.
        refused: Faces that were refused by it.
        evaluation: None where it did not get as far.
    """

    stop: Stop
    embedded: int
    estimated: int
    refused: int
    evaluation: Evaluation | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What carrying a migration on works with.

    Attributes:
        contenders: From the two models' names to what they would decide by.
        make_index: Gives a model what search needs, before it is switched to.
    """

    store: MigrationStore
    labels: Labels
    embedder: Embedder
    crops: Crops
    contenders: Callable[[str], Contender]
    make_index: Callable[[str], object]
    clock: Callable[[], datetime]


def begin(store: MigrationStore, to: ModelRecord, wishes: Wishes) -> Migration:
    """Begin a migration, or go on with the one that was begun.

    Raises:
        Permanent: One to another model is under way, or there is nothing to change.
        Transient: The model was changed meanwhile.
    """
    known = store.under_way()
    if known is not None:
        require_same(known, to.name)
        store.retry_refused(known)
        return store.wish(known, wishes)
    return store.begin(require_other(store.model_in_use(), to.name), to, wishes)


def require_same(known: Migration, to_model: str) -> None:
    """Let a migration go on only to where it was begun.

    Raises:
        Permanent: It leads to another model.
    """
    if known.to_model != to_model:
        raise Permanent(
            f"the archive is on its way to {known.to_model}: go on with `face-archive models "
            f"migrate {known.to_model}`, or end that with `face-archive models migrate --abort`."
        )


def require_other(in_use: str | None, to_model: str) -> str:
    """Give the model in use, where it is another.

    Raises:
        Permanent: There is nothing to migrate.
    """
    if in_use is None:
        raise Permanent(
            f"there are no faces yet: `face-archive models use {to_model}` is all that it takes."
        )
    if in_use == to_model:
        raise Permanent(f"{to_model} is in use already.")
    return in_use


async def carry_on(
    tools: Tools,
    migration: Migration,
    *,
    is_over: Callable[[], bool] = lambda: False,
    on_batch: Callable[[int], None] = lambda faces: None,
) -> Carried:
    """Embed, judge and switch, as far as the time allows.

    Args:
        tools: Everything it works with.
        migration: Under way, and this process's alone.
        is_over: Asked before each batch whether the time is over.
        on_batch: Told how many faces each batch had.

    Raises:
        Transient: The store or the crops do not answer, somebody decides about people for
            minutes, or the migration was ended by another.
        Permanent: Crops may not be read.
    """
    done = estimated = refused = 0
    while True:
        result = await embed_missing(
            tools.store, migration, tools.embedder, tools.crops, is_over=is_over, on_batch=on_batch
        )
        done += result.done
        estimated += result.estimated
        refused += result.refused.total()
        if not result.complete:
            return Carried(Stop.TIME, done, estimated, refused)
        stop, evaluation = await asyncio.to_thread(_settle, tools, migration)
        if stop is not None:
            return Carried(stop, done, estimated, refused, evaluation)


def _settle(tools: Tools, migration: Migration) -> tuple[Stop | None, Evaluation | None]:
    """Judge and switch; ``None`` where a face was stored meanwhile that lacks its vector."""
    counts = tools.store.counts(migration.to_model, migration)
    if too_many_refused(counts) and not migration.wishes.force:
        return Stop.REFUSED, None
    before, after = tools.contenders(migration.from_model), tools.contenders(migration.to_model)
    evaluation = judge(tools.labels, before, after)
    tools.store.evaluated(migration, evaluation.shown())
    if evaluation.verdict is Verdict.WORSE and not migration.wishes.force:
        return Stop.WORSE, evaluation
    tools.make_index(migration.to_model)
    model, threshold = tools.embedder.model, None
    if evaluation.calibration is not None:
        threshold = local_threshold(
            model.name, evaluation.calibration, source=_SOURCE, now=tools.clock()
        )
    switched = tools.store.switch(migration, model, threshold, old_vectors_for=KEPT_FOR)
    return (Stop.SWITCHED if switched else None), evaluation


def waits_for_owner(store: MigrationStore, migration: Migration) -> Stop | None:
    """Say why only its owner can carry a migration on: to go on by itself would change nothing.

    Args:
        store: Where faces are.
        migration: Under way.
    """
    counts = store.counts(migration.to_model, migration)
    if counts.missing or migration.wishes.force:
        return None
    if too_many_refused(counts):
        return Stop.REFUSED
    verdict = (migration.evaluation or {}).get("verdict")
    return Stop.WORSE if verdict == Verdict.WORSE else None


def abort(store: MigrationStore) -> tuple[Migration, int]:
    """End the migration that is under way as if it had not begun.

    Returns:
        Which it was, and how many vectors were removed.

    Raises:
        Permanent: None is under way.
        Transient: Somebody is carrying it on.
    """
    with store.alone():
        migration = store.under_way()
        if migration is None:
            raise Permanent(_nothing_to_abort(store.latest()))
        return migration, store.abort(migration)


def _nothing_to_abort(latest: Migration | None) -> str:
    if latest is None or latest.state is not MigrationState.SWITCHED:
        return "no change of models is under way."
    return (
        f"no change of models is under way: {latest.to_model} is in use. `face-archive models "
        f"migrate {latest.from_model}` leads back."
    )
