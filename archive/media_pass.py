"""The media pass: every medium of one window, fetched once, analysed once, stored once.

The order of work and what happens to an item that goes wrong live here. What a medium may have
is decided in ``ledger``, what the pass asks of the world is described in ``media_ports``.
"""

from __future__ import annotations

from archive.media_ports import CropStore, Fetched, MediaSource, MediaStore, Vision

__all__ = ["CropStore", "Fetched", "MediaSource", "MediaStore", "Vision"]
