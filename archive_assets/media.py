"""The media pass: one download and one decode of each file, four products from it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import dagster as dg

from archive.errors import Transient
from archive.ledger import Product
from archive.media_pass import MediaPassResult, run_media_pass
from archive.near_copies import link_near_copies
from archive.places import name_places
from archive.windows import Window, parse_key
from archive_assets.lanes import lane_of
from archive_assets.outcomes import dagster_outcome, timed
from archive_assets.partitions import chat_window, one_window_a_run
from archive_assets.telegram import chat_history
from resources.doctor import require_free_disk
from resources.telegram.sessions import Lane
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
    context: dg.AssetExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> Iterator[dg.MaterializeResult[None]]:
    """Do what the ledger says is missing or stale for the window's media, and nothing else."""
    window = parse_key(context.partition_key)
    # Faces and vectors come from one look at the picture: asking for one asks for both.
    faces = bool(context.selected_asset_keys & {extracted_faces_key, face_embeddings_key})
    thumbnails = thumbnails_key in context.selected_asset_keys
    postpone = partial(toolbox.history.postpone, window)
    with dagster_outcome(postpone), timed(toolbox, "media_pass", window.key) as timing:
        require_free_disk(toolbox.settings)
        work = _pass(
            toolbox,
            window,
            lane_of(context),
            context.run.run_id,
            faces=faces,
            thumbnails=thumbnails,
        )
        result = asyncio.run(work)
        timing.items = result.fetched
        link_near_copies(toolbox.near_copies)
        name_places(toolbox.places, toolbox.gazetteer)
        _require_complete(result)
    for key, product in _PRODUCTS.items():
        if key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata=_metadata(result, product))


async def _pass(
    toolbox: Toolbox,
    window: Window,
    lane: Lane,
    run_id: str,
    *,
    faces: bool = True,
    thumbnails: bool = True,
) -> MediaPassResult:
    chat = toolbox.chats.get(window.chat_no)
    options = toolbox.media_pass_options
    if not thumbnails:
        options = replace(options, thumbnail_version=None)
    async with (
        toolbox.vision(faces=faces and chat.switches.faces) as vision,
        toolbox.media_source(lane, chat) as source,
    ):
        return await run_media_pass(
            window,
            chat,
            source,
            vision,
            toolbox.media,
            toolbox.blobs,
            options=options,
            owner=run_id,
            clock=lambda: datetime.now(UTC),
        )


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
