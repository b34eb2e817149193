"""What a change of models works with, put together from the settings and the archive.

For the command and for the asset alike; carrying it on is `archive.migrating`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from archive.errors import Permanent
from archive.identify import IdentifyOptions
from archive.migrating.judging import Contender
from archive.migrating.switching import Tools
from archive.windows import Window
from resources.store.search_index import make_missing_index
from resources.vision.models import look_up

if TYPE_CHECKING:
    from resources.toolbox import Toolbox
    from resources.vision.factory import EngineSpec


@asynccontextmanager
async def migration_tools(toolbox: Toolbox, spec: EngineSpec) -> AsyncIterator[Tools]:
    """Load another model than the one in use, with everything that changing to it needs.

    Args:
        toolbox: Of the archive.
        spec: The other model; see `other_engine`.

    Raises:
        Permanent: It cannot be loaded, or a setting fits only the model before.
    """
    from resources.vision.crop_faces import CropEmbedder

    require_no_fixed_threshold(toolbox)
    # Crops are embedded many at once: one that kills shows itself, and nothing else ends.
    async with toolbox.vision(spec=spec, in_processes=True) as pool:
        yield Tools(
            store=toolbox.migrations,
            labels=toolbox.asking,
            embedder=CropEmbedder(pool, spec),
            crops=toolbox.blobs,
            contenders=lambda model: contender(toolbox, model),
            make_index=lambda model: make_missing_index(toolbox.database, model),
            clock=lambda: datetime.now(UTC),
        )


def other_engine(toolbox: Toolbox, model: str, *, accept_noncommercial: bool = False) -> EngineSpec:
    """Say how another model is loaded.

    Args:
        toolbox: Of the archive.
        model: Its name.
        accept_noncommercial: A consent beside the one in the settings.
    """
    spec = toolbox.engine_spec
    accepted = spec.accept_noncommercial or accept_noncommercial
    return replace(spec, model_name=model, accept_noncommercial=accepted)


def contender(toolbox: Toolbox, model: str) -> Contender:
    """Say by which rules a model decides, or would."""
    local = toolbox.thresholds.in_force(model)
    options: IdentifyOptions = toolbox.identify_options
    options = replace(options, accept=local.accept if local else None)
    return Contender(model, options.rules(look_up(model).thresholds))


def require_no_fixed_threshold(toolbox: Toolbox) -> None:
    """Refuse to change models while the settings hold a cosine of the one before.

    Raises:
        Permanent: One is set.
    """
    if toolbox.settings.similarity_threshold is not None:
        raise Permanent(
            "SIMILARITY_THRESHOLD is set, and fits the model in use alone: with "
            "another it would mix people up, or find nobody. Take it out, then change the model; "
            "`face-archive calibrate` proposes a threshold that goes with the model."
        )


def all_windows(toolbox: Toolbox) -> Iterator[Window]:
    """Give every window of every chat that is archived."""
    for chat in toolbox.chats.list():
        if chat.switches.archive:
            yield from (row.window for row in toolbox.chats.windows(chat.chat_no))
