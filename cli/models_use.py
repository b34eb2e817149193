"""`models use`: which model finds and compares faces from now on.

The choice and the question of the licence are `cli.model_choice`, as for `init`; where the answer
is kept is `cli.init_settings`. Bringing faces over to another model is a migration, not this.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import Permanent
from cli.context import open_toolbox
from cli.env_file import write_values
from cli.init_settings import MODEL, model_values
from cli.model_choice import consented_model
from cli.output import say
from resources.settings import DEFAULT_ENV_FILE
from resources.vision.models import DLIB, look_up
from resources.vision.packs import find_folder

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def use_command(
    name: Annotated[str, typer.Argument(help="`dlib`, or the name of a pack.")],
    *,
    accept_noncommercial: Annotated[
        bool,
        typer.Option(
            "--accept-noncommercial",
            help="Your use is allowed by a licence for non-commercial research only.",
        ),
    ] = False,
    env_file: Annotated[Path, typer.Option(help="The file to write.")] = DEFAULT_ENV_FILE,
) -> None:
    """Find and compare faces with this model from now on.

    A licence for non-commercial research only is asked about once in an archive. Refused while
    there are faces that only another model has embedded: the two cannot be compared.

    For example:

    - `face-archive models use dlib`
    - `face-archive models use buffalo_l --accept-noncommercial`
    """
    _require_env_file_rules()
    with open_toolbox() as toolbox:
        _require_comparable(toolbox, name)
        accepted = accept_noncommercial or toolbox.settings.accept_noncommercial_models
        choice = consented_model(name, accept_noncommercial=accepted)
        folder = toolbox.settings.models_dir
    write_values(env_file, model_values(choice))
    say(f"{name} is used from now on; restart what is running (`face-archive up`).")
    if name != DLIB and find_folder(name, folder) is None:
        say(f"Its files are not here yet: `face-archive models fetch {name}`.")


def _require_env_file_rules() -> None:
    if os.environ.get(MODEL):
        raise Permanent(f"{MODEL} is set in the environment, which wins: change it there.")


def _require_comparable(toolbox: Toolbox, name: str) -> None:
    """Refuse a model that has not seen the faces which are there.

    Raises:
        Permanent: Only other models have embedded some of them.
    """
    blind = toolbox.holdings.mixture(look_up(name).name).faces
    if not blind:
        return
    others = [each.model for each in toolbox.holdings.by_model() if each.vectors]
    raise Permanent(
        f"{blind} faces were embedded by {', '.join(sorted({*others} - {name}))} and not by "
        f"{name}: vectors of two models cannot be compared, and none can be brought over yet. Keep "
        "the model, or begin another archive in a data folder of its own."
    )
