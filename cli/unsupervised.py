"""An installation that nobody supervises: databases and Dagster's home for one command's work.

For commands that run jobs in their own process (`catch-up`, `init`). What runs all the time is
`cli.up`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from archive.errors import Permanent, Transient
from resources.settings import Settings


@contextmanager
def alone(settings: Settings) -> Iterator[Mapping[str, str]]:
    """Give the environment of a Dagster that nobody else supervises, the databases running.

    Raises:
        Transient: Somebody else supervises this data folder.
    """
    from cli.up import only_one
    from resources.dagster_home import child_environment, prepare_dagster_home
    from resources.databases import databases
    from resources.store.migrate import migrate

    run_folder = settings.data_dir / "run"
    run_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(only_one(run_folder))
        except Permanent as error:
            raise Transient("`face-archive up` runs, or another catch-up does.") from error
        urls = stack.enter_context(databases(settings))
        migrate(urls.archive)
        prepare_dagster_home(settings.data_dir)
        environment = child_environment(settings.data_dir, urls)
        # The jobs run in this process and read their settings as Dagster's own workers do.
        stack.enter_context(process_environment(environment))
        yield environment


@contextmanager
def process_environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process while the body runs."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
