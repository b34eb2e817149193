"""`face-archive init`: from nothing to a usable `.env` and a migrated database.

Asks what it must and takes the rest from flags. Writing the file is `cli.env_file`, the words
about models are `cli.model_choice`; logging in and choosing chats are commands of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.env_file import changed_names, known_values, write_values
from cli.model_choice import ModelChoice, ask_model, checked_model
from cli.output import say
from resources.databases import databases
from resources.logs import configure_logs
from resources.settings import DEFAULT_ENV_FILE, Settings, default_data_dir
from resources.store.migrate import migrate
from resources.vision.models import DLIB

_DATA_DIR = "FACE_ARCHIVE_DATA_DIR"
_API_ID = "TG_API_ID"
_API_HASH = "TG_API_HASH"
_MODEL = "FACE_ARCHIVE_MODEL"
_CONSENT = "FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS"


def init_command(
    *,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of database, crops, sessions, logs and models.", metavar="DIR"),
    ] = None,
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
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Ask nothing: keep what is set, defaults for the rest, overwrite."
        ),
    ] = False,
    env_file: Annotated[Path, typer.Option(help="The file to write.")] = DEFAULT_ENV_FILE,
) -> None:
    """Ask what must be known, write it to `.env` (mode 0600), make the database ready.

    Other lines of an existing `.env` stay; replacing a value is asked for first. Running it
    again shows what is set as the default.

    For example:

    - `face-archive init`
    - `face-archive init --yes --model dlib --data-dir ~/faces --api-id 12345`
    """
    known = known_values(env_file)
    values = {
        _DATA_DIR: _data_dir(data_dir, known, ask=not yes),
        **_application(api_id, api_hash, known, ask=not yes),
    }
    values |= _model_values(_choice(model, known, consent=accept_noncommercial, ask=not yes), known)
    _confirm_overwriting(env_file, values, ask=not yes)
    settings = write_values(env_file, values)
    configure_logs(settings.log_level, settings.log_format)
    say(f"Written to {env_file}, readable by you only.")
    _make_database_ready(settings)
    _say_next(settings)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("init")(init_command)


def _data_dir(given: Path | None, known: dict[str, str], *, ask: bool) -> str:
    default = str(given or known.get(_DATA_DIR) or default_data_dir())
    if ask and given is None:
        default = typer.prompt("Data folder", default=default, err=True)
    return str(Path(default).expanduser().absolute())


def _application(
    api_id: int | None, api_hash: str | None, known: dict[str, str], *, ask: bool
) -> dict[str, str]:
    """Collect the key of the owner's Telegram application, as far as it is known."""
    number = str(api_id) if api_id else known.get(_API_ID, "")
    secret = api_hash or known.get(_API_HASH, "")
    if ask and api_id is None:
        say("Telegram asks every program for a key of its owner: my.telegram.org, API tools.")
        number = str(
            typer.prompt("api_id", default=int(number) if number else None, type=int, err=True)
        )
    if ask and not secret:
        secret = typer.prompt("api_hash (not shown)", hide_input=True, err=True).strip()
    return {name: text for name, text in ((_API_ID, number), (_API_HASH, secret)) if text}


def _choice(
    given: str | None, known: dict[str, str], *, consent: bool, ask: bool
) -> ModelChoice | None:
    """Decide on the model; ``None`` keeps what is set."""
    if given is not None:
        return checked_model(given, accept_noncommercial=consent)
    if ask:
        return ask_model(known.get(_MODEL))
    return None if _MODEL in known else ModelChoice(DLIB, accept_noncommercial=False)


def _model_values(choice: ModelChoice | None, known: dict[str, str]) -> dict[str, str]:
    if choice is None:
        return {}
    if choice.accept_noncommercial or _CONSENT in known:
        return {_MODEL: choice.name, _CONSENT: str(choice.accept_noncommercial).lower()}
    return {_MODEL: choice.name}


def _confirm_overwriting(env_file: Path, values: dict[str, str], *, ask: bool) -> None:
    changed = changed_names(env_file, values)
    if ask and changed:
        question = f"{env_file} sets {', '.join(changed)} to something else. Replace?"
        typer.confirm(question, default=False, abort=True, err=True)


def _make_database_ready(settings: Settings) -> None:
    with databases(settings) as urls:
        applied = migrate(urls.archive)
    say(f"Database ready: {len(applied)} migrations applied." if applied else "Database ready.")


def _say_next(settings: Settings) -> None:
    if settings.tg_api_id is None or settings.tg_api_hash is None:
        say("Next: get api_id and api_hash at my.telegram.org and run `face-archive init` again.")
    else:
        say("Next: `face-archive login`, then `face-archive chats add @name`.")
