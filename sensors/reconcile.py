"""From what no live update told to the inbox: how far chats have come, compared now and then."""

import asyncio
from collections import Counter
from collections.abc import Mapping

import dagster as dg

from archive.accounts import AccountState
from archive.errors import ArchiveError
from archive.ids import AccountId
from archive.reconciling import Reconciled, reconcile
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox
from sensors.runs import WINDOW_ASSETS

LIVE_LAG_CHECK = "live_updates_are_answered_in_time"
ACCOUNTS_CHECK = "no_account_has_to_log_in_again"

# A tick has a minute; what is left over comes with the next.
_SECONDS_AN_ACCOUNT = 40


@dg.sensor(
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "On by default. Every 15 min, one request an account names the newest message of each "
        "opted-in chat; what nobody has told of goes to the inbox, and windows that are missing "
        "are planned. Says also how long live updates wait and whether an account has to log in "
        "again, and forgets updates answered two weeks ago. Off: what the listener missed while "
        "it was down for long is found when it starts, or by `face-archive catch-up --once`."
    ),
)
def reconcile_sensor(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult:
    """Compare each account's chats; an account that cannot be asked now is left for later."""
    for account_id in toolbox.accounts_to_ask():
        try:
            outcome = asyncio.run(_reconcile(toolbox, account_id))
        except (ArchiveError, TimeoutError) as error:
            context.log.warning(f"An account's chats are compared later: {type(error).__name__}.")
        else:
            context.log.info(
                f"{outcome.chats} chats compared, {outcome.behind} were behind, "
                f"{outcome.planned} windows planned, {outcome.unreachable} not to be seen."
            )
    toolbox.inbox.prune()
    checks = {LIVE_LAG_CHECK: live_lag(toolbox), ACCOUNTS_CHECK: accounts_held(toolbox)}
    return dg.SensorResult(
        asset_events=[
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(WINDOW_ASSETS[0]),
                check_name=name,
                passed=passed,
                metadata=metadata,
            )
            for name, (passed, metadata) in checks.items()
        ]
    )


def live_lag(toolbox: Toolbox) -> tuple[bool, Mapping[str, dg.MetadataValue]]:
    """Say whether live updates are answered in time, and how long the oldest one waits."""
    pulses = toolbox.updates.pulses()
    lag = max((pulse.lag_seconds for pulse in pulses), default=0.0)
    limit = toolbox.settings.live_lag_limit_seconds
    return lag <= limit, {
        "lag_seconds": dg.MetadataValue.float(lag),
        "limit_seconds": dg.MetadataValue.int(limit),
        "updates_waiting": dg.MetadataValue.int(sum(pulse.updates_waiting for pulse in pulses)),
    }


def accounts_held(toolbox: Toolbox) -> tuple[bool, Mapping[str, dg.MetadataValue]]:
    """Say whether Telegram refused an account; one that its owner paused is in order."""
    states = Counter(row.state for row in toolbox.accounts.list())
    return not states[AccountState.ERROR], {
        f"accounts_{state}": dg.MetadataValue.int(count) for state, count in states.items()
    }


async def _reconcile(toolbox: Toolbox, account_id: AccountId) -> Reconciled:
    async with (
        asyncio.timeout(_SECONDS_AN_ACCOUNT),
        toolbox.telegram(Lane.LIVE, account_id) as account,
    ):
        return await reconcile(
            account_id, account.tops, account.history, toolbox.inbox, toolbox.history
        )
