"""The demo's story, step by step, with the use cases and assets of a real installation."""

from collections.abc import Awaitable, Callable, Sequence

import dagster as dg

from archive.chats import add_chat, allow
from archive.errors import Permanent
from archive.history import plan_windows
from archive.hubs import create_hub
from archive.records import Switches
from archive_assets.analytics import ANALYTICS_JOB
from archive_assets.build import build_defs
from cli.demo.scenario import PHONE, DemoWorld
from cli.output import Advance
from resources.telegram.login import login
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox
from sensors.runs import CHAT_WINDOW, PEOPLE_JOB, WINDOW_JOB

_HUB_TITLE = "People"
_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


async def set_up(toolbox: Toolbox, world: DemoWorld) -> list[str]:
    """Log in, make a hub, opt the chats in and plan their windows.

    Returns:
        Keys of the windows, newest first within each chat.
    """
    account = await login(
        toolbox.telegram_config,
        toolbox.sessions,
        phone=PHONE,
        ask_code=_answer(world.scenario.login_code),
        ask_password=_answer(""),
    )
    toolbox.accounts.save(account)
    async with toolbox.telegram(Lane.LIVE) as telegram:
        own = telegram.account.account_id
        await create_hub(_HUB_TITLE, own, telegram.hub, toolbox.chats, toolbox.topics)
        keys: list[str] = []
        for chat_id in world.chats:
            chat = await add_chat(str(chat_id), own, telegram.peers, toolbox.chats)
            chat = allow(chat, Switches(archive=True, faces=True, publish=True), toolbox.chats)
            planned = await plan_windows(chat, telegram.history, toolbox.history)
            keys += [window.key for window in planned.windows]
    return keys


def materialize(
    toolbox: Toolbox, instance: dg.DagsterInstance, keys: Sequence[str], advance: Advance
) -> None:
    """Run the real assets through Dagster: each window in a run of its own, then the people.

    Raises:
        Permanent: A run failed; the message names it.
    """
    definitions = build_defs(resource_overrides={"toolbox": toolbox})
    instance.add_dynamic_partitions(CHAT_WINDOW, list(keys))
    windows = definitions.resolve_job_def(WINDOW_JOB)
    people = definitions.resolve_job_def(PEOPLE_JOB)
    for number, key in enumerate(keys):
        advance(number, len(keys) + 1)
        _require(windows.execute_in_process(_QUIET, instance=instance, partition_key=key))
    advance(len(keys), len(keys) + 1)
    _require(people.execute_in_process(_QUIET, instance=instance))


def build_warehouse(toolbox: Toolbox, instance: dg.DagsterInstance) -> tuple[int, int]:
    """Run the real analytics through Dagster.

    Returns:
        How many tables and views were built, and how many tests of them hold.

    Raises:
        Permanent: The run failed; the message names it.
    """
    definitions = build_defs(resource_overrides={"toolbox": toolbox})
    result = definitions.resolve_job_def(ANALYTICS_JOB).execute_in_process(
        _QUIET, instance=instance
    )
    _require(result)
    held = [check for check in result.get_asset_check_evaluations() if check.passed]
    return len(result.asset_materializations_for_node("warehouse_marts")), len(held)


def _require(result: dg.ExecuteInProcessResult) -> None:
    if not result.success:
        raise Permanent(f"Run {result.run_id} of the demo failed: see its events above.")


def _answer(text: str) -> Callable[[], Awaitable[str]]:
    async def answer() -> str:
        return text

    return answer
