"""What only Telegram and the store can say: the model in use, the session's life, a fit hub.

The second half of `doctor`; needs a database that answers and, to ask Telegram, the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from archive.accounts import AccountState
from archive.errors import ArchiveError, Transient
from archive.hubs import check_hub
from archive.publishing import Hub, HubState
from resources.doctor import CheckResult, check_model, fail, ok, warn
from resources.settings import Settings
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox

_NO_HUB = "Run `face-archive hub create`, or `hub use` for a forum you have."


def stored_checks(settings: Settings, *, online: bool) -> Iterator[CheckResult]:
    """Look at what is stored and, if asked to, at the session and the hub on Telegram.

    Args:
        settings: Of the installation; its database answers.
        online: Ask Telegram.
    """
    try:
        with Toolbox.open(settings) as toolbox:
            yield check_model(settings, toolbox.model_in_use.name())
            if (otherwise := check_setting(toolbox)) is not None:
                yield otherwise
            yield _vectors(toolbox)
            yield from _accounts(toolbox)
            hubs = toolbox.hubs()
            for hub in hubs or (None,):
                if online:
                    yield from asyncio.run(_ask_telegram(toolbox, hub))
                else:
                    yield _without_asking(hub)
    except ArchiveError as exc:
        yield fail("hub", str(exc), _NO_HUB)


def check_setting(toolbox: Toolbox) -> CheckResult | None:
    """Say so where the settings name another model than the one in use; nothing fails by it."""
    chosen, in_use = toolbox.model_set_otherwise, toolbox.engine_spec.model_name
    if chosen is None:
        return None
    return warn(
        "setting of the model",
        f"FACE_ARCHIVE_MODEL is {chosen}, but this archive uses {in_use}: the setting only says "
        "with which model a new one begins.",
        f"`face-archive models migrate {chosen}` brings the faces over, `models use {in_use}` the "
        "setting in line.",
    )


def _vectors(toolbox: Toolbox) -> CheckResult:
    """Say whether the model in use can compare all faces that are there."""
    model = toolbox.engine_spec.model_name
    held = {each.model: each.vectors for each in toolbox.holdings.by_model() if each.vectors}
    found = toolbox.holdings.mixture(model)
    if found.faces:
        others = sorted(held.keys() - {model})
        return warn(
            "vectors",
            f"{found.faces} faces were embedded by {', '.join(others)} only: {model} is in use and "
            "cannot compare them.",
            "What a migration could not embed is looked at again with its windows; `face-archive "
            f"models migrate {others[0]}` goes over to that model.",
        )
    if found.portraits:
        finding = f"{found.portraits} people are remembered by another model than {model}."
        return warn("vectors", finding, "`face-archive identify` portrays them anew.")
    return ok("vectors", f"{held.get(model, 0)} faces have a vector by {model}, none lacks it.")


def _accounts(toolbox: Toolbox) -> Iterator[CheckResult]:
    """Say of each account whether it may be used."""
    for row in toolbox.accounts.list():
        name = f"account {row.account_id}"
        match row.state:
            case AccountState.ACTIVE:
                yield ok(name, f"{row.name} is in use.")
            case AccountState.PAUSED:
                way_out = f"`face-archive accounts resume {row.account_id}` when it is to go on."
                yield warn(name, f"{row.name} is paused: nothing is asked in its name.", way_out)
            case _:
                yield fail(name, row.state_reason or "It cannot be used.", "`face-archive login`")


def _without_asking(hub: Hub | None) -> CheckResult:
    if hub is None:
        return warn("hub", "None is chosen: people are found, nothing is published.", _NO_HUB)
    if hub.state is not HubState.READY:
        way_out = "Do what the message says, then run `face-archive hub check`."
        look = fail if hub.state is HubState.BLOCKED else warn
        return look("hub", f"{hub.chat.title!r}: {hub.reason}", way_out)
    return ok("hub", f"{hub.chat.title!r}; `doctor --online` asks for the rights in it.")


async def _ask_telegram(toolbox: Toolbox, hub: Hub | None) -> list[CheckResult]:
    """Connect once and look at both; a lane that is busy proves that its session works."""
    account_id = hub.chat.account_id if hub else None
    try:
        async with toolbox.telegram(Lane.LIVE, account_id) as telegram:
            found = [ok("telegram", f"Connected as account {telegram.account.account_id}.")]
            if hub is None:
                return [*found, _without_asking(None)]
            checked = await check_hub(hub, telegram.hub, toolbox.topics)
    except Transient as exc:
        return [warn("telegram", str(exc), "Try again in a while.")]
    except ArchiveError as exc:
        return [fail("telegram", str(exc), "Do what the message says, then run doctor again.")]
    if checked.blocked_reason is not None:
        way_out = "Change that in Telegram, then run `face-archive hub check`."
        return [*found, fail("hub", checked.blocked_reason, way_out)]
    return [*found, ok("hub", f"{hub.chat.title!r} may be written to.")]
