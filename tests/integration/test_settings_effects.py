"""Every setting reaches what it is about: a knob that changes nothing would be a lie."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from archive.errors import Permanent
from archive.ids import AccountId
from archive.publishing import HubNo
from archive.records import Account
from cli.up import children
from resources.databases import databases
from resources.doctor import CheckState, check_free_disk
from resources.logs import configure_logs
from resources.settings import Settings
from resources.store.database import Database
from resources.telegram.sessions import Lane
from resources.telegram.stats import RequestStats
from resources.toolbox import Toolbox
from sensors.reconcile import live_lag

Effect = Callable[[Toolbox], object]

CREDENTIALS = {"tg_api_id": 1, "tg_api_hash": "x"}


def hub_error(toolbox: Toolbox) -> object:
    try:
        return toolbox.hubs()
    except Permanent as exc:
        return str(exc)


def pace_of(toolbox: Toolbox) -> object:
    return vars(vars(toolbox.pace(HubNo(1)))["_budget"])["_seconds_a_request"]


def in_flight(toolbox: Toolbox) -> object:
    account = SimpleNamespace(account=Account(AccountId(1), "Ada"), stats=RequestStats())
    with toolbox.throttle(cast(Any, account)) as throttle:
        return throttle.in_flight()


def logged(toolbox: Toolbox) -> object:
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        configure_logs(toolbox.settings.log_level, toolbox.settings.log_format)
        record = logging.makeLogRecord({"msg": "said", "levelname": "INFO"})
        return root.level, root.handlers[0].format(record).startswith("{")
    finally:
        root.handlers, root.level = before


def web_command(toolbox: Toolbox) -> object:
    settings = toolbox.settings
    return [list(child.command) for child in children(settings, {}, Path.cwd())]


def database_urls(toolbox: Toolbox) -> object:
    with databases(toolbox.settings) as urls:
        return urls.archive, urls.dagster


BOTH_DATABASES = {"database_url": "postgresql:///a", "dagster_database_url": "postgresql:///b"}

EFFECTS: dict[str, tuple[object, object, Effect]] = {
    "tg_api_id": (1, 2, lambda box: box.telegram_config.api_id),
    "tg_api_hash": ("one", "two", lambda box: box.telegram_config.api_hash),
    "session_passphrase": (None, "correct horse", lambda box: vars(box.sessions)["_seal"].is_set),
    "telegram_proxy": (
        "socks5://a:1", "socks5://b:1", lambda box: box.telegram_config.proxy
    ),
    "hub_group_id": (None, -1001, hub_error),
    "hub_operations_per_minute": (18, 6, pace_of),
    "telegram_requests_per_minute": (
        600, 60, lambda box: vars(box.budget(AccountId(1)))["_seconds_a_request"]
    ),
    "download_concurrency": (4, 8, lambda box: box.telegram_config.download_concurrency),
    "history_requests_in_flight": (2, 4, in_flight),
    "use_takeout": (False, True, lambda box: box.takeout(AccountId(1), Lane.BACKFILL) is None),
    "flood_sleep_limit_seconds": (60, 5, lambda box: box.telegram_config.flood_sleep_limit_seconds),
    "deletion_burst": (100, 5, lambda box: vars(box.history)["_deletion_burst"]),
    "telegram_server": (
        "127.0.0.1:1", "127.0.0.1:2", lambda box: box.telegram_config.server
    ),
    "telegram_server_key": ("a.pem", "b.pem", lambda box: box.telegram_config.server_key_pem),
    "similarity_threshold": (None, 0.9, lambda box: box.identify_options.accept),
    "min_quality_threshold": (None, 0.5, lambda box: box.identify_options.min_quality),
    "min_faces": (3, 1, lambda box: box.identify_options.min_faces),
    "min_faces_to_publish": (1, 3, lambda box: box.publish_policy),
    "post_near_copies": (False, True, lambda box: box.publish_policy),
    "publish_crops": (False, True, lambda box: box.crops is None),
    "publish_uncertain": (False, True, lambda box: box.doubts(look=False)),
    "review_url": (None, "https://example.org", lambda box: box.publish_policy),
    "model": (None, "auraface", lambda box: box.engine_spec.model_name),
    "accept_noncommercial_models": (
        False, True, lambda box: box.engine_spec.accept_noncommercial
    ),
    "max_media_size_mb": (200, 5, lambda box: box.media_pass_options.limits.media_bytes),
    "original_types": (
        "photo", "photo, voice", lambda box: box.media_pass_options.limits.original_kinds
    ),
    "max_original_size_mb": (
        2000, 5, lambda box: box.media_pass_options.limits.original_bytes
    ),
    "max_image_megapixels": (150, 20, lambda box: vars(box.vision())["_limits"]),
    "video_frame_rate": (1.0, 3.0, lambda box: vars(box.vision())["_limits"]),
    "round_video_frame_rate": (2.0, 4.0, lambda box: vars(box.vision())["_limits"]),
    "video_max_gap_seconds": (2.0, 4.0, lambda box: vars(box.vision())["_limits"]),
    "video_max_gap_seconds_ranged": (10.0, 5.0, lambda box: vars(box.vision())["_limits"]),
    "avif_thumbnails": (True, False, lambda box: box.media_pass_options.thumbnail_version),
    "vision_providers": ("auto", "cuda, cpu", lambda box: box.engine_spec.providers),
    "find_tiny_faces": (True, False, lambda box: box.engine_spec.tiled),
    "media_workers": (None, 7, lambda box: box.media_pass_options.workers),
    "media_buffer_limit_mb": (256, 64, lambda box: box.media_pass_options.buffer_limit_bytes),
    "item_memory_limit_mb": (2048, 512, lambda box: box.media_pass_options.item_memory_limit_mb),
    "data_dir": ("one", "two", lambda box: vars(box.sessions)["_folder"]),
    "models_dir": (None, "packs", lambda box: box.engine_spec.models_dir),
    "database_url": ("postgresql:///a", "postgresql:///c", database_urls),
    "dagster_database_url": ("postgresql:///b", "postgresql:///d", database_urls),
    "blob_url": (None, "memory://crops", lambda box: vars(box.blobs)["_url"]),
    "min_free_disk_gb": (0.0, 1e9, lambda box: check_free_disk(box.settings).state),
    "log_level": ("INFO", "ERROR", logged),
    "log_format": ("console", "json", logged),
    "live_lag_limit_seconds": (300, 60, lambda box: live_lag(box)[1]["limit_seconds"].value),
    "webserver_port": (3000, 3001, web_command),
}  # fmt: skip


@pytest.mark.parametrize("name", EFFECTS)
def test_a_setting_changes_something(
    name: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for key in ("a.pem", "b.pem"):
        Path(key).write_text(key)
    first, second, effect = EFFECTS[name]

    def observe(value: object) -> object:
        values: dict[str, Any] = {"data_dir": "data", **CREDENTIALS, **_companions(name)}
        values[name] = value
        chosen = {key: each for key, each in values.items() if each is not None}
        return effect(Toolbox(Settings(**chosen), database))

    assert observe(first) != observe(second)


def test_every_setting_is_covered() -> None:
    assert EFFECTS.keys() == Settings.model_fields.keys()


def test_too_little_free_disk_fails_the_doctor(tmp_path: Path) -> None:
    assert check_free_disk(Settings(data_dir=tmp_path, min_free_disk_gb=1e9)).state is (
        CheckState.FAIL
    )


def _companions(name: str) -> dict[str, object]:
    """Settings without which the one in question means nothing."""
    match name:
        case "telegram_server" | "telegram_server_key":
            return {"telegram_server": "127.0.0.1:1", "telegram_server_key": "a.pem"}
        case "database_url" | "dagster_database_url":
            return dict(BOTH_DATABASES)
        case _:
            return {}
