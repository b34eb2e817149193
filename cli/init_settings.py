"""The first step of `init`: what must be known before anything runs, and the file it goes to.

Asks only for what nobody set yet; a flag changes what is set. Writing the file is `cli.env_file`,
the words about models are `cli.model_choice`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from cli.env_file import changed_names, known_values, write_values
from cli.model_choice import CONSENT, ModelChoice, ask_model, checked_model
from cli.output import say
from resources.settings import Settings, default_data_dir
from resources.vision.models import DLIB

DATA_DIR: Final = "FACE_ARCHIVE_DATA_DIR"
API_ID: Final = "TG_API_ID"
API_HASH: Final = "TG_API_HASH"
MODEL: Final = "FACE_ARCHIVE_MODEL"


@dataclass(frozen=True, slots=True)
class Given:
    """What flags said; ``None`` of what none did.

    Attributes:
        ask: Whether a person answers what is missing.
    """

    data_dir: Path | None = None
    api_id: int | None = None
    api_hash: str | None = None
    model: str | None = None
    accept_noncommercial: bool = False
    ask: bool = True


def settle(given: Given, env_file: Path) -> Settings:
    """Write what flags and answers say, and return the settings that follow.

    Raises:
        Permanent: The model's licence needs a consent that was not given.
        SettingsError: What would be in the file cannot be used.
    """
    # As everywhere, the environment wins: what it sets is not asked for.
    known = {**known_values(env_file), **{name: os.environ[name] for name in _set_outside()}}
    values = {**_data_dir(given, known), **_flags(given), **_model(given, known)}
    _confirm_overwriting(env_file, values, ask=given.ask)
    if not values:
        return Settings.load(env_file)
    settings = write_values(env_file, values)
    say(f"Written to {env_file}, readable by you only.")
    return settings


def settle_application(env_file: Path, *, ask: bool) -> bool:
    """See to the key of the owner's Telegram application; say whether it is there."""
    settings = Settings.load(env_file)
    if settings.tg_api_id is not None and settings.tg_api_hash is not None:
        return True
    say("Telegram asks every program for a key of its owner: my.telegram.org, API tools.")
    if not ask:
        return False
    number = settings.tg_api_id or typer.prompt("api_id", type=int, err=True)
    secret = typer.prompt("api_hash (not shown)", hide_input=True, err=True).strip()
    write_values(env_file, {API_ID: str(number), API_HASH: secret})
    return True


def _set_outside() -> list[str]:
    return [name for name in (DATA_DIR, MODEL) if os.environ.get(name)]


def _data_dir(given: Given, known: Mapping[str, str]) -> dict[str, str]:
    if given.data_dir is None and DATA_DIR in known:
        return {}
    folder = str(given.data_dir or default_data_dir())
    if given.ask and given.data_dir is None:
        say("Everything lies in one folder: database, face crops, sessions, logs, models.")
        folder = typer.prompt("Data folder", default=folder, err=True)
    return {DATA_DIR: str(Path(folder).expanduser().absolute())}


def _flags(given: Given) -> dict[str, str]:
    number = None if given.api_id is None else str(given.api_id)
    said = {API_ID: number, API_HASH: given.api_hash}
    return {name: text for name, text in said.items() if text}


def _model(given: Given, known: Mapping[str, str]) -> dict[str, str]:
    choice = _model_choice(given, known)
    return {} if choice is None else model_values(choice)


def model_values(choice: ModelChoice) -> dict[str, str]:
    """Say how a choice is kept; a consent that was given once is not taken back by another."""
    consent = {CONSENT: "true"} if choice.accept_noncommercial else {}
    return {MODEL: choice.name, **consent}


def _model_choice(given: Given, known: Mapping[str, str]) -> ModelChoice | None:
    """Decide on the model; ``None`` keeps what is set."""
    if given.model is not None:
        return checked_model(given.model, accept_noncommercial=given.accept_noncommercial)
    if MODEL in known:
        return None
    return ask_model(None) if given.ask else ModelChoice(DLIB, accept_noncommercial=False)


def _confirm_overwriting(env_file: Path, values: Mapping[str, str], *, ask: bool) -> None:
    changed = changed_names(env_file, values)
    if ask and changed:
        question = f"{env_file} sets {', '.join(changed)} to something else. Replace?"
        typer.confirm(question, default=False, abort=True, err=True)
