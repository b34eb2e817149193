"""Which face model to begin with: what each costs, and the question of its licence.

A proposal in words, for `init` and `models use`; licences and figures themselves are
`resources.vision.registry`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import typer
from pydantic import TypeAdapter

from archive.errors import Permanent
from cli.output import say
from resources.vision.models import DLIB, KnownModel, look_up, require_licence, require_usable
from resources.vision.packs import find_folder
from resources.vision.registry import REGISTRY

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

CONSENT: Final = "FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS"

BEST: Final = "buffalo_l"
FREE: Final = "auraface"


# What a newcomer is told beside the registry's figures. The makers of AuraFace publish that it does
# not reach ArcFace, being trained on less (their announcement, 2024).
OFFERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        BEST: "fetched once at its first use; the best of the three, by far on hard pictures",
        FREE: "about 280 MB that you put into the models folder yourself; between the two: the "
        "same kind of network, trained on less. Its recogniser is free; look at the licence of "
        "the detector that you put beside it",
        DLIB: "installed already; good enough to try, but it misses small, turned and dark faces",
    }
)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a person decided.

    Attributes:
        accept_noncommercial: They said that their use is allowed.
    """

    name: str
    accept_noncommercial: bool


def ask_model(default: str | None) -> ModelChoice:
    """Show what there is and ask; a pack first, after the question of its licence.

    Args:
        default: What is chosen already, if anything is.
    """
    say(
        "Which face model? `face-archive models migrate` goes over to another later, and embeds "
        "every face anew.",
        *_offers(),
    )
    if default is None:
        question = f"Is your use non-commercial research only, so that {BEST} is allowed?"
        if typer.confirm(question, default=False, err=True):
            return _chosen(BEST, accept_noncommercial=True)
        say(f"Then {FREE} is the best that is free for any use.")
    name = typer.prompt("Model", default=default or FREE, err=True).strip()
    return consented_model(name)


def checked_model(name: str, *, accept_noncommercial: bool) -> ModelChoice:
    """Take a model that was named by a flag.

    Raises:
        Permanent: Its licence needs a consent that was not given, or it cannot be used at all.
    """
    require_usable(look_up(name))
    require_licence(look_up(name), accept_noncommercial=accept_noncommercial)
    return _chosen(name, accept_noncommercial=accept_noncommercial)


def consented_model(name: str, *, accept_noncommercial: bool = False) -> ModelChoice:
    """Take a model that was named, after the question of its licence where that is open.

    Args:
        name: The model.
        accept_noncommercial: The question was answered with yes before: it is not asked.

    Raises:
        Permanent: Its licence needs a consent that was not given, or it cannot be used at all.
    """
    require_usable(look_up(name))
    return _chosen(name, accept_noncommercial=accept_noncommercial or _consent(name))


def require_there(name: str, models_dir: Path) -> None:
    """Let a name pass that is a model's: a misspelt one would be asked about its licence.

    Raises:
        Permanent: It is neither known nor a pack that lies here.
    """
    if name not in REGISTRY and find_folder(name, models_dir) is None:
        raise Permanent(
            f"there is no model `{name}`: `face-archive models list` names those that there are, "
            "`face-archive models add DIR` takes in one of your own."
        )


def say_what_is_used(toolbox: Toolbox) -> None:
    """Tell whoever has chosen otherwise that an archive which has faces keeps its model."""
    # It brings Telegram with it: `--help` need not wait for that.
    from resources.doctor_online import check_setting

    otherwise = check_setting(toolbox)
    if otherwise is not None:
        say(f"{otherwise.finding} {otherwise.way_out}")


def _chosen(name: str, *, accept_noncommercial: bool) -> ModelChoice:
    """Refuse a consent that the environment denies: kept in a file, it would count for nothing."""
    said = os.environ.get(CONSENT)
    denied = said is not None and not TypeAdapter(bool).validate_python(said)
    if denied and not look_up(name).commercial_use:
        raise Permanent(f"{CONSENT} is {said} in the environment, which wins: change it there.")
    return ModelChoice(name, accept_noncommercial)


def _consent(name: str) -> bool:
    model = look_up(name)
    if model.commercial_use:
        return False
    question = f"{name}: {model.licence}. Is your use allowed by that?"
    accepted = typer.confirm(question, default=False, err=True)
    require_licence(model, accept_noncommercial=accepted)
    return accepted


def _offers() -> list[str]:
    return [f"  {name}: {_figures(look_up(name))}; {words}." for name, words in OFFERS.items()]


def _figures(model: KnownModel) -> str:
    size = [f"{model.megabytes} MB"] if model.megabytes else []
    return "; ".join(
        [model.licence, *size, *(f"{each.percent:.2f} % on {each.test}" for each in model.accuracy)]
    )
