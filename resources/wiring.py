"""The adapters as Dagster resources: the only module among the adapters that knows Dagster.

One resource, the toolbox: assets, checks and sensors ask for ``ResourceParam[Toolbox]``, tests
pass one they made themselves. It has no fields on purpose: every knob is in ``Settings``, and
a secret that Dagster never sees is in none of its tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from resources.logs import configure_logs
from resources.settings import Settings
from resources.toolbox import Toolbox


class ToolboxResource(dg.ConfigurableResource[Toolbox]):
    """Opens a toolbox for each run and each tick, and closes it afterwards."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Toolbox]:
        """Read the settings of this process and give their toolbox while the work runs."""
        settings = Settings.load()
        configure_logs(settings.log_level, settings.log_format)
        with Toolbox.open(settings) as toolbox:
            yield toolbox
