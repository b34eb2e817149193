"""What Dagster loads."""

from archive_assets.build import build_defs

defs = build_defs()
