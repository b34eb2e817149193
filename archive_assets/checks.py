"""Asset checks: rules that a green run does not prove by itself."""

import dagster as dg

from archive.calibrating import DEFAULT_RATE, measure
from archive.errors import Permanent
from archive.hubs import crowded
from archive.identity.calibration import Calibration
from archive.ledger import PASS_PRODUCTS
from archive.publishing import HubState
from archive.windows import parse_key
from archive_assets.media import extracted_faces_key, face_embeddings_key
from archive_assets.partitions import chat_window
from archive_assets.people import identity_clusters, published_topics
from archive_assets.presentation import picture
from archive_assets.telegram import chat_history
from resources.plots.calibration import calibration_png
from resources.toolbox import Toolbox
from resources.vision.models import look_up
from sensors.reconcile import ACCOUNTS_CHECK, LIVE_LAG_CHECK, accounts_held, live_lag
from sensors.runs import CALIBRATION_CHECK


@dg.asset_check(asset=chat_history, name=LIVE_LAG_CHECK)
def live_updates_are_answered_in_time(
    toolbox: dg.ResourceParam[Toolbox],
) -> dg.AssetCheckResult:
    """No live update waits longer for its reading than LIVE_LAG_LIMIT_SECONDS allows.

    The reconciliation sensor looks every quarter of an hour; no window's run does.
    """
    passed, metadata = live_lag(toolbox)
    return dg.AssetCheckResult(passed=passed, metadata=metadata)


@dg.asset_check(asset=chat_history, name=ACCOUNTS_CHECK)
def no_account_has_to_log_in_again(
    toolbox: dg.ResourceParam[Toolbox],
) -> dg.AssetCheckResult:
    """Telegram refused no account; `face-archive accounts list` names it and the way out.

    The reconciliation sensor looks every quarter of an hour; no window's run does.
    """
    passed, metadata = accounts_held(toolbox)
    return dg.AssetCheckResult(passed=passed, metadata=metadata)


@dg.asset_check(asset=extracted_faces_key, partitions_def=chat_window)
def every_medium_has_ledger_rows(
    context: dg.AssetCheckExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.AssetCheckResult:
    """Each medium of each message has a row per product: nothing is passed over in silence."""
    window = parse_key(context.partition_key)
    return _none(toolbox.audit.media_without_ledger(window, list(PASS_PRODUCTS)))


@dg.asset_check(asset=face_embeddings_key, partitions_def=chat_window)
def embeddings_have_unit_norm_and_right_dims(
    context: dg.AssetCheckExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.AssetCheckResult:
    """Each vector has length 1 and as many numbers as its model says."""
    return _none(toolbox.audit.bad_embeddings(parse_key(context.partition_key)))


@dg.asset_check(asset=face_embeddings_key, partitions_def=chat_window)
def the_model_in_use_has_seen_every_face(
    context: dg.AssetCheckExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.AssetCheckResult:
    """No face has vectors of other models only: it is like nobody, and nobody finds it.

    A warning, because a migration leaves those behind that it could neither embed nor find again.
    `face-archive models list` says which model made what, `models migrate` brings all over to one.
    """
    window, model = parse_key(context.partition_key), toolbox.engine_spec.model_name
    found = toolbox.audit.faces_of_other_models(window, model)
    return _none(found, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=identity_clusters, name=CALIBRATION_CHECK)
def the_threshold_fits_the_labels(
    toolbox: dg.ResourceParam[Toolbox],
) -> dg.AssetCheckResult:
    """The threshold in use keeps the false accept rate on the people that somebody named.

    Not a part of the run that finds people, which comes every minute: run it after naming and
    correcting. With too few labels it says what is missing.
    """
    model = toolbox.engine_spec.model_name
    rules = toolbox.identify_options.rules(look_up(model).thresholds)
    try:
        found = measure(toolbox.asking, model, rules)
    except Permanent as exc:
        return dg.AssetCheckResult(passed=True, description=str(exc), metadata={"enough": False})
    return dg.AssetCheckResult(
        passed=found.in_use.far.share <= DEFAULT_RATE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={**_rates(found), "roc": picture(calibration_png(found, model), "ROC")},
    )


@dg.asset_check(asset=identity_clusters)
def people_are_what_their_log_comes_to(
    toolbox: dg.ResourceParam[Toolbox],
) -> dg.AssetCheckResult:
    """The tables of people hold what a replay of `identity_events` gives.

    `face-archive identities rebuild` brings them in line with it.
    """
    return _none(toolbox.corrections.check().total)


@dg.asset_check(asset=published_topics)
def nothing_is_published_without_a_switch(
    toolbox: dg.ResourceParam[Toolbox],
) -> dg.AssetCheckResult:
    """Each post shows a content that at least one chat allows to be published.

    Red, too, after `chats deny --publish`, as long as posts of that chat are in the hub.
    """
    return _none(toolbox.audit.posts_without_switch())


@dg.asset_check(asset=published_topics)
def every_hub_can_be_written_to(
    toolbox: dg.ResourceParam[Toolbox],
) -> dg.AssetCheckResult:
    """No hub is blocked, and none is full without another of its rule that has room.

    `face-archive publish status` names it, the reason and the way out.
    """
    hubs = toolbox.hubs()
    blocked = sum(hub.state is HubState.BLOCKED for hub in hubs)
    full = len(crowded(hubs))
    return dg.AssetCheckResult(
        passed=not blocked and not full,
        severity=dg.AssetCheckSeverity.ERROR if blocked else dg.AssetCheckSeverity.WARN,
        metadata={"hubs": len(hubs), "blocked": blocked, "full": full},
    )


def _rates(found: Calibration) -> dict[str, int | float]:
    return {
        "threshold": found.in_use.threshold,
        "tar": found.in_use.tar.share,
        "far": found.in_use.far.share,
        "proposed_threshold": found.chosen.threshold,
        "people": found.people,
        "genuine": found.in_use.tar.of,
        "impostors": found.in_use.far.of,
    }


def _none(
    found: int, severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=found == 0, severity=severity, metadata={"rows": found})
