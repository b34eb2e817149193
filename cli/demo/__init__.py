"""`face-archive demo`: a loopback Telegram with a sample chat, taken through the real assets.

`scenario` says who is in it, `photos` makes the pictures, `stage` the installation, `run` the
steps; here they are put in order and the outcome is shown.
"""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from cli.output import emit, progress, say


def demo_command(
    faces: Annotated[
        Path | None,
        typer.Option(
            help="A folder of photos to send instead of the sample ones.",
            exists=True,
            file_okay=False,
            resolve_path=True,
        ),
    ] = None,
    *,
    stay: Annotated[
        bool,
        typer.Option("--stay", help="Go on as `up` does, with the Dagster UI, until Ctrl-C."),
    ] = False,
) -> None:
    """Watch a sample Telegram chat turn into people and topics, with nothing set up.

    Everything is local: a loopback Telegram, an embedded database, a face model from a wheel.
    Each run starts anew, in a folder of its own beside the real archive's.
    """
    import dagster as dg

    from cli.demo.run import build_warehouse, materialize, set_up
    from cli.demo.scenario import build_world
    from cli.demo.stage import demo_installation
    from cli.demo.summary import summarise
    from cli.up import keep_up
    from resources.databases import databases
    from resources.toolbox import Toolbox
    from telegram_sandbox import run_in_thread

    started = monotonic()
    world = build_world(faces)
    with run_in_thread(world.scenario) as telegram, demo_installation(telegram) as settings:
        say("A loopback Telegram is running; logging in and opting its two chats in.")
        with Toolbox.open(settings) as toolbox, dg.DagsterInstance.get() as instance:
            keys = asyncio.run(set_up(toolbox, world))
            with progress("Materializing the assets") as advance:
                materialize(toolbox, instance, keys, advance)
            say("Building the warehouse: snapshots, marts and their tests.")
            models, tests = build_warehouse(toolbox, instance)
            summary = summarise(toolbox, telegram, monotonic() - started)
        for title, rows in summary.tables:
            emit(rows, title=title)
        say(f"The warehouse was built: {models} models, and {tests} tests of them hold.")
        say(*summary.next_steps)
        if stay:
            with databases(settings) as urls:
                keep_up(settings, urls)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("demo")(demo_command)
