"""The reading side of the live test: windows that are due, run after run, until it is killed.

``python reading_process.py``. What the daemon does with the sensors' requests, in one process and
without their intervals.
"""

import threading

_IDLE_SECONDS = 0.2


def main() -> None:
    # Not at the top: the workers of the vision pool begin by importing this file.
    from cli.catch_up import windows_due
    from cli.runs import runner
    from resources.settings import Settings
    from resources.toolbox import Toolbox

    never = threading.Event()
    with runner() as dagster, Toolbox.open(Settings.load()) as toolbox:
        while True:
            for key, urgency in windows_due(toolbox).items():
                dagster.window(key, urgency)
            never.wait(_IDLE_SECONDS)


if __name__ == "__main__":
    main()
