"""What reading has cost so far: for an estimate of what more of it will."""

from __future__ import annotations

from statistics import median
from typing import Final

from archive.history.jumps import Rates
from archive.ids import AccountId
from resources.store.database import Database
from resources.store.overview import OverviewStore
from resources.store.paces import PaceStore

# Before anything was measured: an answer of a real account (FIELD_NOTES), a photo of 1280 px, a
# minute of video at Telegram's own quality, and half of what two cores do with photos.
_SECONDS_PER_PAGE: Final = 0.12
_MEDIA_PER_SECOND: Final = 5.0
_PHOTO_BYTES: Final = 200_000.0
_VIDEO_BYTES: Final = 8_000_000.0

_SIZES = """
SELECT avg(size_bytes) FILTER (WHERE kind = 'photo'),
       avg(size_bytes) FILTER (WHERE kind IN ('video', 'round_video', 'gif'))
FROM media
"""


class CostStore:
    """Rates over everything that was read.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def rates(self, account_id: AccountId, in_flight: int) -> Rates:
        """Return what reading costs, measured where it was and assumed where not.

        Args:
            account_id: Whose answers count.
            in_flight: Pages asked for at a time.
        """
        with self._database.transaction() as connection:
            photo, video = connection.execute(_SIZES).fetchone() or (None, None)
        newest = PaceStore(self._database).get(account_id).newest_seconds
        return Rates(
            seconds_per_page=(median(newest) if newest else _SECONDS_PER_PAGE) / in_flight,
            media_per_second=OverviewStore(self._database).media_per_second() or _MEDIA_PER_SECOND,
            photo_bytes=float(photo or _PHOTO_BYTES),
            video_bytes=float(video or _VIDEO_BYTES),
        )
