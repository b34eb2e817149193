"""The process that the kill test kills: does what is missing of a backfill, through Dagster.

``python backfill_process.py WINDOW…``. As after `up` was killed: the boot step ends the runs of the
dead, then each window without a materialization gets a run of its own, then the people.
"""

import sys


def main(keys: list[str]) -> None:
    # Not at the top: the workers of the vision pool begin by importing this file.
    import dagster as dg

    from archive_assets.boot import fail_orphans
    from archive_assets.media import face_embeddings_key
    from cli.demo.run import materialize
    from resources.settings import Settings
    from resources.toolbox import Toolbox

    with dg.DagsterInstance.get() as instance, Toolbox.open(Settings.load()) as toolbox:
        fail_orphans(instance)
        done = instance.get_materialized_partitions(face_embeddings_key)
        missing = [key for key in keys if key not in done]
        materialize(toolbox, instance, missing, lambda done, total: None)


if __name__ == "__main__":
    main(sys.argv[1:])
