"""Jobs: what is run as one by a sensor or a person."""

import dagster as dg

from sensors.reconcile import ACCOUNTS_CHECK, LIVE_LAG_CHECK
from sensors.runs import (
    CALIBRATION_CHECK,
    HUB_CHECK,
    PEOPLE_ASSETS,
    PEOPLE_JOB,
    WINDOW_ASSETS,
    WINDOW_JOB,
)

window_job = dg.define_asset_job(
    WINDOW_JOB,
    # How long live updates wait is no matter of one window.
    selection=dg.AssetSelection.assets(*WINDOW_ASSETS)
    - dg.AssetSelection.checks(
        *(
            dg.AssetCheckKey(dg.AssetKey(WINDOW_ASSETS[0]), name)
            for name in (ACCOUNTS_CHECK, LIVE_LAG_CHECK)
        )
    ),
    description="Read one window of a chat and find the faces in its media.",
)

people_job = dg.define_asset_job(
    PEOPLE_JOB,
    # How well the threshold fits is measured when somebody asks, hubs are read once a day.
    selection=dg.AssetSelection.assets(*PEOPLE_ASSETS)
    - dg.AssetSelection.checks(
        dg.AssetCheckKey(dg.AssetKey(PEOPLE_ASSETS[0]), CALIBRATION_CHECK),
        dg.AssetCheckKey(dg.AssetKey(PEOPLE_ASSETS[1]), HUB_CHECK),
    ),
    description="Group faces into people and bring the hub up to date.",
)
