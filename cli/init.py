"""`face-archive init`: from nothing to the first people in one sitting.

Only the order of the steps, and leaving and resuming them: the settings are `cli.init_settings`,
what follows is `cli.init_steps`, the first windows are `cli.init_windows`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.context import load_settings, open_toolbox
from cli.env_file import known_values
from cli.exits import ExitCode
from cli.init_settings import Given, settle
from cli.init_steps import Wanted, steps
from cli.init_windows import read_first
from cli.model_choice import say_what_is_used
from cli.output import say
from cli.unsupervised import process_environment
from resources.databases import databases
from resources.logs import configure_logs
from resources.settings import DEFAULT_ENV_FILE, Settings
from resources.store.migrate import migrate

_FIRST_WINDOWS: Final = 3


def init_command(
    *,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of database, crops, sessions, logs and models.", metavar="DIR"),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="`buffalo_l`, `auraface`, `dlib`, or a folder of your own.")
    ] = None,
    accept_noncommercial: Annotated[
        bool,
        typer.Option(
            "--accept-noncommercial",
            help="Your use is allowed by a licence for non-commercial research only.",
        ),
    ] = False,
    api_id: Annotated[
        int | None, typer.Option(help="Id of your own Telegram application.", min=1)
    ] = None,
    api_hash: Annotated[
        str | None,
        typer.Option(
            help="Its hash. Better typed when asked for: the arguments of a command can be seen "
            "by others on the machine."
        ),
    ] = None,
    phone: Annotated[
        str | None, typer.Option(help="Log in with this number; the code is asked for.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Take a Telegram Desktop export instead.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Take a folder of pictures instead.")
    ] = None,
    chat: Annotated[
        list[str] | None,
        typer.Option(metavar="CHAT", help="Archive this chat, or `*pattern*` of titles; several."),
    ] = None,
    hub: Annotated[
        str | None,
        typer.Option(metavar="TITLE", help="Make a private group for topics; '' for none."),
    ] = None,
    windows: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=f"Go through so many windows at the end: {_FIRST_WINDOWS}, or none with --yes.",
        ),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Ask nothing: keep what is set, skip what no flag says, overwrite."
        ),
    ] = False,
    env_file: Annotated[Path, typer.Option(help="The file to write.")] = DEFAULT_ENV_FILE,
) -> None:
    """Lead from nothing to the first people: settings, source, chats, hub, first windows.

    Each step can be left with Ctrl-C; run it again and it goes on with the first that is not
    done. What is set stays unless a flag says otherwise. Settings go to `.env` (mode 0600), whose
    other lines stay.

    For example:

    - `face-archive init`
    - `face-archive init --export ~/Downloads/ChatExport_2026-11-20`
    - `face-archive init --yes --model dlib --data-dir ~/faces --api-id 12345`
    """
    given = Given(data_dir, api_id, api_hash, model, accept_noncommercial, ask=not yes)
    wanted = Wanted(env_file, phone, export, folder, tuple(chat or ()), hub, ask=not yes)
    count = windows if windows is not None else 0 if yes else _FIRST_WINDOWS
    at = "the settings"
    try:
        settings = settle(given, env_file)
        with _ready(settings, env_file):
            with open_toolbox() as toolbox:
                say_what_is_used(toolbox)
            for step in steps():
                at = step.name
                with open_toolbox() as toolbox:
                    is_done = step.is_done(toolbox)
                instead = None if is_done else step.take(wanted)
                if instead is not None:
                    say(instead)
                    return
            at = "the first windows"
            _go_through(count)
    except (typer.Abort, KeyboardInterrupt):
        say(f"Left at {at}: `face-archive init` goes on there.")
        raise typer.Exit(ExitCode.FAILED) from None


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("init")(init_command)


@contextmanager
def _ready(settings: Settings, env_file: Path) -> Iterator[None]:
    """Keep the databases running, migrated, for every step; `.env` may be another file."""
    configure_logs(settings.log_level, settings.log_format)
    with databases(settings) as urls:
        applied = migrate(urls.archive)
        say(f"Database ready: {len(applied)} migrations applied." if applied else "Database ready.")
        from_file = {n: v for n, v in known_values(env_file).items() if n not in os.environ}
        with process_environment({**from_file, **urls.environment()}):
            yield


def _go_through(count: int) -> None:
    with open_toolbox() as toolbox:
        people = len(toolbox.people.people())
    if people:
        say(f"Everything is set up, and {people} people were found. Next: `face-archive up`.")
        return
    if count:
        read_first(load_settings(), count)
    say("Next: `face-archive up` goes on with everything and stays up to date.")
