"""Settings: every knob of the program once, with its unit, default and range.

Here live the names, checks and descriptions of what a person can set in `.env` or in the process
environment, and nothing that acts on them. Thresholds that belong to a model live with the model's
record; chat switches live in the store. Importing this module reads nothing; `Settings.load` does,
and the plain constructor takes only what it is given.

To add a setting: add one field with `setting(...)` to the section that it belongs to, run
`face-archive settings --example > .env.example`, and use it somewhere: a setting that changes
nothing is a defect. Its name in the environment follows from the attribute (`PLAIN_NAMES`, or
`FACE_ARCHIVE_` before the upper-case name).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

import platformdirs
from pydantic import PrivateAttr, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from archive.records import KEEPABLE_KINDS, MediaKind
from resources.settings_source import NamedValuesSource, SettingsError, env_name, read_env_file
from resources.settings_text import (
    Origin,
    SettingRow,
    describe_setting,
    env_example,
    readable_error,
    setting,
)
from resources.telegram.proxy import parse_proxy

__all__ = ["DEFAULT_ENV_FILE", "Settings", "SettingsError", "settings_env_example"]

DEFAULT_ENV_FILE: Final = Path(".env")

_KINDS: Final = "|".join(sorted(KEEPABLE_KINDS))

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LogFormat = Literal["auto", "console", "json"]


def default_data_dir() -> Path:
    """Return where the archive's data lives unless a person chose another place.

    The embedded PostgreSQL of a root user makes every parent of its folder world-traversable, so
    root's data must not lie below a private home.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/face-archive")
    return Path(platformdirs.user_data_dir("face-archive", appauthor=False))


def _data_dir_of(validated: dict[str, Any]) -> Path:
    return Path(validated["data_dir"])


class Settings(BaseSettings):
    """Everything a person can set. Immutable; made by `Settings.load`, or by hand in a test."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        # Defaults pass the same checks as what a person writes.
        validate_default=True,
        # A refused value can be a secret that was pasted into the wrong line.
        hide_input_in_errors=True,
        # `model` is a setting here.
        protected_namespaces=(),
        str_strip_whitespace=True,
        allow_inf_nan=False,
    )

    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)

    # Telegram
    tg_api_id: int | None = setting(
        section="Telegram",
        description="Id of your own Telegram application, from my.telegram.org.",
        gt=0,
    )
    tg_api_hash: SecretStr | None = setting(
        section="Telegram",
        description="Hash of your own Telegram application. Secret.",
    )
    session_passphrase: SecretStr | None = setting(
        section="Telegram",
        description="Encrypts the sessions on disk; run `face-archive accounts protect` after "
        "setting it, `unprotect` before taking it away. Secret.",
        default_text="none: files that only their owner may read",
        min_length=8,
    )
    telegram_proxy: SecretStr | None = setting(
        section="Telegram",
        description="Proxy on the way to Telegram: socks5://user:password@host:port, or "
        "mtproxy://secret@host:port. Secret.",
        default_text="none",
    )
    hub_group_id: int | None = setting(
        section="Telegram",
        description="Marked id (-100…) of the private forum that receives one topic per person.",
        default_text="none, or what `hub use` stored",
        lt=0,
    )
    hub_operations_per_minute: int = setting(
        18,
        section="Telegram",
        description="Sends, edits and new topics in one hub together; Telegram allows about 20.",
        unit="operations/minute",
        ge=1,
        le=60,
    )
    telegram_requests_per_minute: int = setting(
        600,
        section="Telegram",
        description="What all runs of one account may ask together, pages of history and parts "
        "of files alike; an idle minute may be spent at once.",
        unit="requests/minute",
        ge=1,
        le=100_000,
    )
    download_concurrency: int = setting(
        16,
        section="Telegram",
        description="Files (or parts of a large one) that one run downloads at a time, at most "
        "4 MB of them.",
        unit="downloads",
        ge=1,
        le=64,
    )
    flood_sleep_limit_seconds: int = setting(
        60,
        section="Telegram",
        description="A FloodWait up to this long is slept in place; a longer one frees the run.",
        unit="seconds",
        ge=0,
        le=3600,
    )
    history_requests_in_flight: int = setting(
        2,
        section="Telegram",
        description="Pages of history that one run asks for at a time; 1 while Telegram is slow.",
        unit="requests",
        ge=1,
        le=8,
    )
    use_takeout: bool = setting(
        default=False,
        section="Telegram",
        description="Read old history through a data export, whose limits are lower. Telegram "
        "asks you in the app first and may make it wait a day; meanwhile history is read "
        "without.",
    )
    deletion_burst: int = setting(
        100,
        section="Telegram",
        description="More deletions than this in one chat within ten minutes wait for you: "
        "`face-archive chats deletions`.",
        unit="messages",
        ge=0,
    )
    telegram_server: str | None = setting(
        section="Telegram",
        description="A test server (host:port) to talk to instead of Telegram's own.",
        default_text="Telegram's own servers",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$",
    )
    telegram_server_key: Path | None = setting(
        section="Telegram",
        description="PEM file with the public RSA key of that test server.",
    )

    # People
    similarity_threshold: float | None = setting(
        section="People",
        description="Least cosine similarity at which a face belongs to a person.",
        unit="cosine",
        default_text="the model's own",
        gt=0,
        le=1,
    )
    min_quality_threshold: float | None = setting(
        section="People",
        description="Least quality at which a face is used.",
        unit="0 to 1",
        default_text="the model's own",
        ge=0,
        le=1,
    )
    min_faces: int = setting(
        3,
        section="People",
        description="Mutually similar faces that it takes to found a person; 1 makes a person of "
        "every stranger.",
        unit="faces",
        ge=1,
        le=100,
    )
    min_faces_to_publish: int = setting(
        1,
        section="People",
        description="Photos and videos that it takes to have a topic in the hub.",
        unit="contents",
        ge=1,
        le=1000,
    )
    publish_crops: bool = setting(
        default=False,
        section="People",
        description="Post the face alone, cut out with a margin, instead of the whole picture or "
        "video; the link leads to the source. What is in the hub already stays.",
    )
    publish_uncertain: bool = setting(
        default=False,
        section="People",
        description="Ask in each hub about faces that the archive is not sure of: a topic with the "
        "cut out faces, which admins answer with /yes or /no. Each run compares all faces for it.",
    )
    post_near_copies: bool = setting(
        default=False,
        section="People",
        description="Post near copies of a posted picture too, instead of naming them as its "
        "sources.",
    )
    review_url: str | None = setting(
        section="People",
        description="Where the pages for review are reached, https://… without a slash at the end: "
        "the summary pinned in each topic links to its person's page.",
        default_text="none, and no link",
        pattern=r"^https?://[^\s/]+(/[^\s/]+)*$",
    )
    model: str | None = setting(
        section="People",
        description="The face model with which a new archive begins: `dlib`, or the name of an "
        "InsightFace pack. One that has faces changes it by `face-archive models migrate`.",
        default_text="dlib unless `init` chose another",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
    )
    vision_providers: str = setting(
        "auto",
        section="People",
        description="What a pack's networks run on, best first, with commas between: auto, cpu, "
        "openvino, openvino-bf16, cuda, tensorrt, coreml. dlib always runs on the processor.",
        pattern=r"^[a-z0-9-]+( *, *[a-z0-9-]+)*$",
    )
    find_tiny_faces: bool = setting(
        default=True,
        section="People",
        description="Look at photos beyond 1280 pixels in tiles too, for faces down to 25 pixels: "
        "up to two seconds of one core for a photo of 20 megapixels.",
    )
    accept_noncommercial_models: bool = setting(
        default=False,
        section="People",
        description="Allow models whose licence permits non-commercial research only.",
    )

    # Media
    max_media_size_mb: int = setting(
        200,
        section="Media",
        description="A larger photo is left out as too_large, of a larger video only parts are "
        "fetched; a chat can set a limit of its own.",
        unit="MB",
        ge=1,
        le=4096,
    )
    max_image_megapixels: int = setting(
        150,
        section="Media",
        description="A picture with more pixels is rejected before it is decoded.",
        unit="megapixels",
        ge=1,
        le=2000,
    )
    video_frame_rate: float = setting(
        1.0,
        section="Media",
        description="Frames looked at per second of a video of up to 30 s; of a longer one its "
        "keyframes are, no more often than this.",
        unit="frames/second",
        gt=0,
        le=60,
    )
    round_video_frame_rate: float = setting(
        2.0,
        section="Media",
        description="Frames looked at per second of a round video, which shows a face.",
        unit="frames/second",
        gt=0,
        le=60,
    )
    video_max_gap_seconds: float = setting(
        2.0,
        section="Media",
        description="A longer time between the keyframes of a longer video is filled with frames.",
        unit="seconds",
        ge=0.05,
        le=3600,
    )
    video_max_gap_seconds_ranged: float = setting(
        10.0,
        section="Media",
        description="The same of videos larger than the buffer, of which only parts are fetched.",
        unit="seconds",
        ge=0.05,
        le=3600,
    )
    original_types: str = setting(
        ",".join(sorted(KEEPABLE_KINDS - {MediaKind.AUDIO})),
        section="Media",
        description="Kinds of files that are kept as they are, with commas between, in chats whose "
        "originals are kept (`chats allow --keep-originals`): "
        f"{', '.join(sorted(KEEPABLE_KINDS))}.",
        pattern=rf"^({_KINDS})( *, *({_KINDS}))*$",
    )
    max_original_size_mb: int = setting(
        2000,
        section="Media",
        description="A larger file is not kept; a chat's own limit holds here too.",
        unit="MB",
        ge=1,
        le=4096,
    )
    avif_thumbnails: bool = setting(
        default=True,
        section="Media",
        description="Make thumbnails in AVIF too: the smallest files, for half a second of one "
        "core a photo.",
    )
    media_workers: int | None = setting(
        section="Media",
        description="Threads (or processes) that decode pictures and look for faces.",
        unit="workers",
        default_text="the number of cores",
        ge=1,
        le=256,
    )
    media_buffer_limit_mb: int = setting(
        256,
        section="Media",
        description="Bytes of downloaded files that wait in memory at any time.",
        unit="MB",
        ge=16,
        le=65536,
    )
    item_memory_limit_mb: int = setting(
        2048,
        section="Media",
        description="Memory of the child process that retries a file after a crash.",
        unit="MB",
        ge=256,
        le=1048576,
    )

    # Storage
    data_dir: Path = setting(
        section="Storage",
        description="Folder of the embedded database, the crops, sessions, logs and models.",
        default_text="/var/lib/face-archive as root, else the user's data folder",
        default_factory=default_data_dir,
    )
    models_dir: Path = setting(
        section="Storage",
        description="InsightFace's root folder: packs lie in <models_dir>/models/<pack>/*.onnx.",
        default_text="the data folder",
        default_factory=_data_dir_of,
    )
    database_url: SecretStr | None = setting(
        section="Storage",
        description="URL of the archive's PostgreSQL database (pgvector 0.8 or newer). Secret.",
        default_text="the embedded server",
    )
    dagster_database_url: SecretStr | None = setting(
        section="Storage",
        description="URL of the PostgreSQL database where Dagster keeps its history. Secret.",
        default_text="the embedded server",
    )
    blob_url: str | None = setting(
        section="Storage",
        description="Where crops, thumbnails and originals go: a folder, or any URL that fsspec "
        "knows.",
        default_text="blobs/ in the data folder",
    )
    min_free_disk_gb: float = setting(
        5.0,
        section="Storage",
        description="`doctor` fails and media work stops when less is free.",
        unit="GB",
        ge=0,
    )

    # Running
    log_level: LogLevel = setting(
        "INFO", section="Running", description="Least severity that is logged."
    )
    log_format: LogFormat = setting(
        "auto",
        section="Running",
        description="How logs look; auto is console on a terminal and json elsewhere.",
    )
    live_lag_limit_seconds: int = setting(
        300,
        section="Running",
        description="Live updates that wait longer than this for their reading are late: `status` "
        "and a check of chat_history say so.",
        unit="seconds",
        ge=30,
    )
    webserver_port: int = setting(
        3000,
        section="Running",
        description="Port on 127.0.0.1 where `face-archive up` serves the Dagster UI.",
        unit="port",
        ge=1,
        le=65535,
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _level_in_any_case(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("data_dir", "models_dir", "telegram_server_key")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        # Children of the supervisor may run in another folder.
        return None if value is None else value.expanduser().absolute()

    @field_validator("telegram_proxy")
    @classmethod
    def _proxy_can_be_read(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_proxy(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _test_server_has_a_key(self) -> Self:
        if (self.telegram_server is None) != (self.telegram_server_key is None):
            raise ValueError(
                f"{env_name('telegram_server')} and {env_name('telegram_server_key')} belong "
                "together: a test server is recognised by its key. Set both or neither."
            )
        return self

    @property
    def kept_kinds(self) -> frozenset[MediaKind]:
        """The kinds of which originals are kept."""
        return frozenset(MediaKind(name.strip()) for name in self.original_types.split(","))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the constructor take its arguments only; `load` brings the two other sources."""
        return (init_settings,)

    @classmethod
    def load(
        cls,
        env_file: Path | None = DEFAULT_ENV_FILE,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Read the settings from a file and from the process environment, which wins.

        Args:
            env_file: The `.env` to read; one that does not exist is no settings, None reads none.
            environ: Instead of the environment of this process.

        Raises:
            SettingsError: For a name that begins with `FACE_ARCHIVE_` and is no setting, for a
                value out of range, or for a file that cannot be read.
        """
        file_source = NamedValuesSource(cls, ".env", read_env_file(env_file))
        environ_source = NamedValuesSource(
            cls, "environment", os.environ if environ is None else environ
        )
        problems = [*file_source.unknown_names(), *environ_source.unknown_names()]
        if problems:
            raise SettingsError(problems)
        from_file, from_environ = file_source(), environ_source()
        origins: dict[str, Origin] = dict.fromkeys(from_file, ".env")
        origins |= dict.fromkeys(from_environ, "environment")
        try:
            settings = cls(**(from_file | from_environ))
        except ValidationError as exc:
            problems = [
                readable_error(cls, error, origins)
                for error in exc.errors(include_url=False)
                # Says only that another setting, which the default follows, is wrong.
                if error["type"] != "default_factory_not_called"
            ]
            # The cause is dropped: its details hold the refused values, secrets among them.
            raise SettingsError(problems) from None
        settings._origins = origins
        return settings

    def describe(self) -> tuple[SettingRow, ...]:
        """Return one row a setting, secrets masked, in the order of the sections."""
        return tuple(
            describe_setting(self, name, self._origins) for name in type(self).model_fields
        )


def settings_env_example() -> str:
    """Return the text of `.env.example`: every setting, described, commented out."""
    return env_example(Settings)
