"""Jobs: what is run as one by a sensor or a person."""

import dagster as dg

from sensors.runs import PEOPLE_ASSETS, PEOPLE_JOB

people_job = dg.define_asset_job(
    PEOPLE_JOB,
    selection=dg.AssetSelection.assets(*PEOPLE_ASSETS),
    description="Group faces into people and bring the hub up to date.",
)
