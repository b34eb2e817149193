"""`models use`: with which model an archive begins.

The choice and the question of the licence are `cli.model_choice`, as for `init`; where the answer
is kept is `cli.init_settings`. Once there are faces, another model is a migration, not this.
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
from cli.model_choice import consented_model, require_there
from cli.output import say
from resources.settings import DEFAULT_ENV_FILE
from resources.vision.models import DLIB
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
    """Begin with this model: it finds and compares the faces of an archive that has none yet.

    A licence for non-commercial research only is asked about once in an archive. Refused where the
    archive has begun with another: `models migrate` brings its faces over.

    For example:

    - `face-archive models use dlib`
    - `face-archive models use buffalo_l --accept-noncommercial`
    """
    _require_env_file_rules()
    with open_toolbox() as toolbox:
        require_there(name, toolbox.settings.models_dir)
        _require_no_other(toolbox, name)
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


def _require_no_other(toolbox: Toolbox, name: str) -> None:
    """Refuse to say with which model to begin where the archive has begun with another.

    Raises:
        Permanent: So it is.
    """
    in_use = toolbox.model_in_use.name()
    if in_use in {None, name}:
        return
    raise Permanent(
        f"this archive uses {in_use} since its first faces, and vectors of two models cannot be "
        f"compared: `face-archive models migrate {name}` brings its faces over, with all that you "
        "decided."
    )
