"""The media pass: one download and one decode of each file, four products from it."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import dagster as dg
from pydantic import Field

from archive.errors import Transient
from archive.ledger import Product
from archive.media_pass import MediaPassResult, producers_today, run_media_pass
from archive.near_copies import link_near_copies
from archive.places import name_places
from archive.records import Chat
from archive.redoing import plan_redo
from archive.windows import Window, parse_key
from archive_assets.lanes import lane_of
from archive_assets.outcomes import dagster_outcome, timed
from archive_assets.partitions import chat_window, one_window_a_run
from archive_assets.telegram import chat_history
from resources.doctor import require_free_disk
from resources.toolbox import Toolbox

fingerprints_key = dg.AssetKey("media_fingerprints")
thumbnails_key = dg.AssetKey("thumbnails")
extracted_faces_key = dg.AssetKey("extracted_faces")
face_embeddings_key = dg.AssetKey("face_embeddings")

_PRODUCTS = {
    fingerprints_key: Product.FINGERPRINTS,
    thumbnails_key: Product.THUMBNAILS,
    extracted_faces_key: Product.FACES,
    face_embeddings_key: Product.EMBEDDINGS,
}


def _spec(key: dg.AssetKey, description: str, *deps: dg.AssetKey) -> dg.AssetSpec:
    return dg.AssetSpec(
        key, deps=deps, description=description, skippable=True, kinds={"postgres", "python"}
    )


class MediaPassConfig(dg.Config):
    """What one run is asked beyond the rest of its window."""

    redo: Literal["missing", "stale", "all"] = Field(
        default="missing",
        description=(
            "missing: make what no run made yet. stale: also make again what another version or "
            "model made. all: make everything again. Whose a face is stays. The log says first "
            "what it will cost."
        ),
    )


@dg.multi_asset(
    name="media_pass",
    group_name="media",
    partitions_def=chat_window,
    backfill_policy=one_window_a_run,
    can_subset=True,
    specs=[
        _spec(
            fingerprints_key,
            "SHA-256, perceptual hash, size and EXIF of every file of the window, once a content.",
            chat_history.key,
        ),
        _spec(
            thumbnails_key,
            "Small pictures of every content, in three sizes and formats; of a video its poster.",
            chat_history.key,
        ),
        _spec(
            extracted_faces_key,
            "Faces of photos and of whole videos: box, landmarks, quality, crop.",
            chat_history.key,
        ),
        _spec(
            face_embeddings_key,
            "One unit vector a face, of the model in use; never compared across models.",
            extracted_faces_key,
        ),
    ],
)
def media_pass(
    context: dg.AssetExecutionContext,
    config: MediaPassConfig,
    toolbox: dg.ResourceParam[Toolbox],
) -> Iterator[dg.MaterializeResult[None]]:
    """Do what the ledger says is missing for the window's media, and again what the run asks."""
    window = parse_key(context.partition_key)
    # Faces and vectors come from one look at the picture: asking for one asks for both.
    faces = bool(context.selected_asset_keys & {extracted_faces_key, face_embeddings_key})
    thumbnails = thumbnails_key in context.selected_asset_keys
    postpone = partial(toolbox.history.postpone, window)
    with dagster_outcome(postpone), timed(toolbox, "media_pass", window.key) as timing:
        require_free_disk(toolbox.settings)
        work = _pass(context, toolbox, window, redo=config.redo, faces=faces, thumbnails=thumbnails)
        result = asyncio.run(work)
        timing.items = result.fetched
        link_near_copies(toolbox.near_copies)
        name_places(toolbox.places, toolbox.gazetteer)
        _require_complete(result)
    for key, product in _PRODUCTS.items():
        if key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata=_metadata(result, product))


async def _pass(
    context: dg.AssetExecutionContext,
    toolbox: Toolbox,
    window: Window,
    *,
    redo: str,
    faces: bool,
    thumbnails: bool,
) -> MediaPassResult:
    chat = toolbox.chats.get(window.chat_no)
    options = replace(toolbox.media_pass_options, redo_stale=redo != "missing")
    if not thumbnails:
        options = replace(options, thumbnail_version=None)
    async with (
        toolbox.vision(faces=faces and chat.switches.faces) as vision,
        toolbox.media_source(lane_of(context), chat) as source,
    ):
        if redo != "missing":
            today = producers_today(vision, options)
            await asyncio.to_thread(
                _redo, context, toolbox, window, chat, today, every=redo == "all"
            )
        return await run_media_pass(
            window,
            chat,
            source,
            vision,
            toolbox.media,
            toolbox.blobs,
            options=options,
            owner=context.run.run_id,
            clock=lambda: datetime.now(UTC),
        )


def _redo(
    context: dg.AssetExecutionContext,
    toolbox: Toolbox,
    window: Window,
    chat: Chat,
    today: Mapping[Product, str],
    *,
    every: bool,
) -> None:
    """Say what making it again will cost, and open what the pass would leave as it is."""
    plan = plan_redo(
        toolbox.media.survey(window),
        today.keys() - {Product.ORIGINALS},
        toolbox.media_pass_options.limits,
        today=None if every else today,
        made_before=_begun(context) if every else None,
    )
    rates = toolbox.costs.rates(chat.account_id, in_flight=1)
    context.log.info(
        "To make again: {files} files, at most {megabytes} MB to download, about {minutes} "
        "minutes.".format(**plan.cost.shown(rates.media_per_second))
    )
    if every:
        toolbox.media.reopen(plan.changes)


def _begun(context: dg.AssetExecutionContext) -> datetime:
    """Say since when the run, or the one of which it is a retry, makes things again."""
    run = context.run
    record = context.instance.get_run_record_by_id(run.root_run_id or run.run_id)
    if record is None or record.start_time is None:
        return datetime.now(UTC)
    return datetime.fromtimestamp(record.start_time, UTC)


def _require_complete(result: MediaPassResult) -> None:
    """Keep the window red while anything in it may still come; a switch that is off is no error.

    Raises:
        Transient: Some items are due again, the first of them after the time it says.
    """
    if result.complete or result.stopped_reason:
        return
    wait = None
    if result.retry_at is not None:
        wait = max(1.0, (result.retry_at - datetime.now(UTC)).total_seconds())
    raise Transient("Some media of the window are not done yet; the ledger says why.", wait)


def _counts(what: str, result: MediaPassResult, product: Product) -> dict[str, int]:
    return {
        f"{what}_{each.state}{f'_{each.reason}' if each.reason else ''}": each.count
        for each in result.counts
        if each.product is product
    }


def _metadata(result: MediaPassResult, product: Product) -> dict[str, dg.MetadataValue]:
    counts = _counts("media", result, product)
    if product is Product.FINGERPRINTS:
        # Originals are no asset: each run keeps what it fetched, whatever else it makes of it.
        counts |= _counts("originals", result, Product.ORIGINALS)
    return {
        **{name: dg.MetadataValue.int(count) for name, count in counts.items()},
        "files_fetched": dg.MetadataValue.int(result.fetched),
        "new_faces": dg.MetadataValue.int(result.new_faces),
        "model": dg.MetadataValue.text(result.model or "none"),
        "provider": dg.MetadataValue.text(result.provider or "none"),
    }
