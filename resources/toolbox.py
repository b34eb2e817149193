"""Every adapter, made from the settings once, for whoever starts work.

An asset, a sensor, the listener and the command line all work with a ``Toolbox``; use cases
get single tools out of it. Only construction belongs here; no tool knows of another.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Self

import structlog

from archive.budgets import Unmetered
from archive.errors import Permanent
from archive.history.pace import Throttle
from archive.hubs import hubs_in_use
from archive.identify import IdentifyOptions
from archive.ids import AccountId, ChatId
from archive.ledger import Limits
from archive.media_pass import MediaPassOptions
from archive.publishing import BudgetPace, Hub, HubNo, Pace, Policy, no_pace
from archive.publishing.doubts import Doubt
from archive.records import Chat
from archive.suggestions import doubts
from resources.blobs import BlobStore
from resources.crops import StoredCrops
from resources.databases import databases
from resources.desktop_export.media import ExportedMedia
from resources.gazetteer import GeoNames
from resources.proposals import ProposalFile
from resources.readers_media import ReadersMedia
from resources.settings import Settings
from resources.store.accounts import AccountStore
from resources.store.asking import AskingStore
from resources.store.audit import AuditStore
from resources.store.budgets import AccountBudget, HubBudget
from resources.store.chats import ChatStore
from resources.store.corrections import CorrectionStore
from resources.store.costs import CostStore
from resources.store.database import Database
from resources.store.deletions import DeletionStore
from resources.store.dialogs import DialogStore
from resources.store.drawings import DrawingStore
from resources.store.exports import ExportStore
from resources.store.forum_topics import ForumTopicStore
from resources.store.history import HistoryStore
from resources.store.holdings import HoldingStore
from resources.store.inbox import InboxStore
from resources.store.locks import account_lane
from resources.store.media import MediaStore
from resources.store.media_failures import FailureStore
from resources.store.migrate import require_migrated
from resources.store.migrating import MigrationStore
from resources.store.model_in_use import ModelInUse
from resources.store.near_copies import NearCopies
from resources.store.old_vectors import OldVectors
from resources.store.overview import OverviewStore
from resources.store.paces import PaceStore
from resources.store.people import PeopleStore
from resources.store.places import Places
from resources.store.portability import PortabilityStore
from resources.store.register import RegisterStore
from resources.store.remarks import RemarkStore
from resources.store.search import FaceSearchStore
from resources.store.searches import SearchStore
from resources.store.snapshots import SnapshotStore
from resources.store.takeouts import TakeoutStore
from resources.store.thresholds import ThresholdStore
from resources.store.topics import TopicStore
from resources.store.topics_of_run import RunTopics
from resources.store.update_states import UpdateStateStore
from resources.telegram.config import TelegramConfig
from resources.telegram.proxy import parse_proxy
from resources.telegram.sessions import Lane, session_files
from resources.warehouse.files import SnapshotFiles
from resources.warehouse.reading import Warehouse, warehouse_file

if TYPE_CHECKING:
    from resources.telegram.client import TelegramAccount
    from resources.vision.analyst import Analyst, AnalystLimits
    from resources.vision.factory import EngineSpec
    from resources.vision.pool import AnalystPool

_log = structlog.get_logger(__name__)

DEFAULT_MODEL = "dlib"
_MEGABYTE = 1_000_000

RUN_MINUTES = 15
"""How long a scheduled run publishes before it lets people be found again; the next goes on."""


class Toolbox:
    """The adapters of one installation.

    Args:
        settings: Everything a person can set.
        database: Open and migrated.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.accounts = AccountStore(database)
        self.chats = ChatStore(database)
        self.dialogs = DialogStore(database)
        self.history = HistoryStore(database, deletion_burst=settings.deletion_burst)
        self.deletions = DeletionStore(database)
        self.exports = ExportStore(database)
        self.forum_topics = ForumTopicStore(database)
        self.paces = PaceStore(database)
        self.costs = CostStore(database)
        self.inbox = InboxStore(database)
        self.updates = UpdateStateStore(database)
        self.remarks = RemarkStore(database)
        self.media = MediaStore(database)
        self.near_copies = NearCopies(database)
        self.places = Places(database)
        self.gazetteer = GeoNames()
        self.failures = FailureStore(database)
        self.searches = SearchStore(database)
        self.holdings = HoldingStore(database)
        self.model_in_use = ModelInUse(database)
        self.migrations = MigrationStore(database)
        self.old_vectors = OldVectors(database)
        self.face_search = FaceSearchStore(database)
        self.people = PeopleStore(database)
        self.corrections = CorrectionStore(database)
        self.register = RegisterStore(database)
        self.drawings = DrawingStore(database)
        self.portability = PortabilityStore(database)
        self.asking = AskingStore(database)
        self.thresholds = ThresholdStore(database)
        self.topics = TopicStore(database)
        self.overview = OverviewStore(database)
        self.audit = AuditStore(database)
        self.snapshots = SnapshotStore(database)
        self.blobs = BlobStore(settings.blob_url or str(settings.data_dir / "blobs"))
        self.proposals = ProposalFile(settings.data_dir / "proposal.json")
        self.warehouse = Warehouse(warehouse_file(settings.data_dir))
        self.snapshot_files = SnapshotFiles(settings.data_dir / "warehouse" / "snapshots")
        self.sessions = session_files(settings)

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """Give a toolbox while the body runs, with the embedded server where one is needed.

        Raises:
            Transient: The database does not answer.
            Permanent: It lacks a migration, or cannot live where it is asked to.
        """
        with databases(settings) as urls:
            require_migrated(urls.archive)
            with Database(urls.archive) as database:
                yield cls(settings, database)

    @property
    def telegram_config(self) -> TelegramConfig:
        """How to reach Telegram.

        Raises:
            Permanent: The application's id or hash is not set.
        """
        settings = self.settings
        if settings.tg_api_id is None or settings.tg_api_hash is None:
            raise Permanent(
                "TG_API_ID and TG_API_HASH are not set: get them at my.telegram.org and run "
                "`face-archive init`."
            )
        server, key = settings.telegram_server, settings.telegram_server_key
        host, _, port = (server or "").rpartition(":")
        proxy = settings.telegram_proxy
        return TelegramConfig(
            api_id=settings.tg_api_id,
            api_hash=settings.tg_api_hash.get_secret_value(),
            server=(host.strip("[]"), int(port)) if server else None,
            server_key_pem=key.read_text(encoding="ascii") if key else None,
            flood_sleep_limit_seconds=settings.flood_sleep_limit_seconds,
            download_concurrency=settings.download_concurrency,
            proxy=parse_proxy(proxy.get_secret_value()) if proxy else None,
        )

    @asynccontextmanager
    async def telegram(
        self, lane: Lane, account_id: AccountId | None = None
    ) -> AsyncIterator[TelegramAccount]:
        """Connect an account on one lane, whose lock is ours until the body ends.

        A session that Telegram refuses puts the account into the state of an error: nobody asks
        again until it has logged in.

        Raises:
            Transient: Another process has the lane, or Telegram does not answer.
            Permanent: Not logged in, the session was revoked, or the account rests.
        """
        from resources.telegram.client import connect
        from resources.telegram.errors import SessionLost

        own = self.sessions.chosen(account_id)
        self.accounts.require_active(own)
        with account_lane(self.database, own, lane):
            hears, budget = lane is Lane.LISTENER, self.budget(own)
            try:
                async with connect(
                    self.telegram_config,
                    self.sessions,
                    lane,
                    own,
                    standing=self.updates.standing(own) if hears else None,
                    # Hearing costs nothing: the listener stays connected through any flood.
                    budget=Unmetered(budget) if hears else budget,
                    takeout=self.takeout(own, lane),
                ) as account:
                    self.accounts.connected(account.account)
                    yield account
            except SessionLost as lost:
                self.accounts.fail(own, str(lost))
                raise

    def accounts_to_ask(self) -> list[AccountId]:
        """Return the accounts that are logged in here and may be used now."""
        held = {row.account_id for row in self.accounts.list() if not row.is_active}
        return [own for own in self.sessions.accounts() if own not in held]

    @asynccontextmanager
    async def media_source(self, lane: Lane, chat: Chat) -> AsyncIterator[ExportedMedia]:
        """Give a chat's files: those of exports, and Telegram's where its account is logged in.

        Raises:
            Transient: As ``telegram``.
            Permanent: As ``telegram``.
        """
        if not self.exports.is_readable(chat.chat_no):
            yield ExportedMedia(self.exports)
            return
        async with (
            self.telegram(lane, chat.account_id) as account,
            self.media_of(account) as media,
        ):
            yield media

    def topics_of_run(self) -> RunTopics:
        """Give hubs and topics for one run: people are read once for all hubs."""
        return RunTopics(self.database)

    @asynccontextmanager
    async def media_of(self, account: TelegramAccount) -> AsyncIterator[ExportedMedia]:
        """Give every file that an account or another can reach, and those of exports beside."""
        async with ReadersMedia(account, partial(self.telegram, Lane.PUBLISH)) as readers:
            yield ExportedMedia(self.exports, readers)

    def takeout(self, account_id: AccountId, lane: Lane) -> TakeoutStore | None:
        """Give what is remembered of a data export; only old history is read through one."""
        if lane is not Lane.BACKFILL or not self.settings.use_takeout:
            return None
        return TakeoutStore(self.database, account_id, lane)

    @contextmanager
    def throttle(self, account: TelegramAccount) -> Iterator[Throttle]:
        """Watch how fast Telegram answers history requests, and remember it afterwards."""
        from resources.telegram.history import HISTORY

        pace = self.paces.get(account.account.account_id)
        throttle = Throttle(self.settings.history_requests_in_flight, pace)

        def answered(method: str, seconds: float) -> None:
            if method == HISTORY:
                throttle.answered(seconds, datetime.now(UTC))

        account.stats.on_answer = answered
        try:
            yield throttle
        finally:
            account.stats.on_answer = None
            self.paces.save(throttle.pace)

    def budget(self, account_id: AccountId) -> AccountBudget:
        """What an account may ask of Telegram, shared by all its runs."""
        rate = self.settings.telegram_requests_per_minute
        return AccountBudget(self.database, account_id, requests_per_minute=rate)

    @property
    def engine_spec(self) -> EngineSpec:
        """Which model is in use, not loaded yet; the settings choose only where none is yet.

        Asked anew by whoever begins something: a migration changes it while programs run.
        """
        return chosen_engine(self.settings, self.model_in_use.name())

    @property
    def model_set_otherwise(self) -> str | None:
        """The model that the settings name, where the archive began with another."""
        in_use = self.model_in_use.name()
        return self.settings.model if in_use not in {None, self.settings.model} else None

    def vision(
        self,
        *,
        faces: bool = True,
        workers: int | None = None,
        spec: EngineSpec | None = None,
        in_processes: bool = False,
    ) -> AnalystPool:
        """Give a pool of analysts, to be entered.

        Args:
            faces: Load the model; without it the pool only fingerprints.
            workers: How many; ``None`` leaves it to the setting.
            spec: Another model than the one in use.
            in_processes: See `AnalystPool`.
        """
        from resources.vision.pool import AnalystPool

        return AnalystPool(
            (spec or self.engine_spec) if faces else None,
            workers=workers or self._workers,
            limits=self._analyst_limits,
            in_processes=in_processes,
        )

    def analyst(self, spec: EngineSpec) -> Analyst:
        """Load a model here, for a picture that somebody asks about.

        Args:
            spec: The model in use. Whoever keeps the analyst asks `engine_spec` before each use,
                and loads another where that is not the same any more.

        Raises:
            Permanent: The model's licence was not accepted, or its files are missing.
        """
        from resources.vision.analyst import Analyst

        return Analyst(spec.build(), self._analyst_limits)

    @property
    def _analyst_limits(self) -> AnalystLimits:
        from archive.faces.sampling import SamplingPolicy
        from resources.vision.analyst import AnalystLimits

        settings = self.settings
        return AnalystLimits(
            max_megapixels=settings.max_image_megapixels,
            min_quality=settings.min_quality_threshold,
            sampling=SamplingPolicy(
                short_rate=settings.video_frame_rate,
                round_rate=settings.round_video_frame_rate,
                max_gap_seconds=settings.video_max_gap_seconds,
                max_gap_seconds_ranged=settings.video_max_gap_seconds_ranged,
            ),
            avif=settings.avif_thumbnails,
        )

    @property
    def media_pass_options(self) -> MediaPassOptions:
        """What the settings say about a media pass."""
        from resources.vision import thumbnails
        from resources.vision.fingerprints import FINGERPRINT_VERSION

        settings = self.settings
        return MediaPassOptions(
            fingerprint_version=FINGERPRINT_VERSION,
            thumbnail_version=thumbnails.version(avif=settings.avif_thumbnails),
            limits=Limits(
                media_bytes=settings.max_media_size_mb * _MEGABYTE,
                original_kinds=settings.kept_kinds,
                original_bytes=settings.max_original_size_mb * _MEGABYTE,
            ),
            buffer_limit_bytes=settings.media_buffer_limit_mb * _MEGABYTE,
            download_concurrency=settings.download_concurrency,
            workers=self._workers,
            item_memory_limit_mb=settings.item_memory_limit_mb,
        )

    @property
    def identify_options(self) -> IdentifyOptions:
        """What the settings say about people, and where they say nothing, what was calibrated."""
        accept = self.settings.similarity_threshold
        if accept is None and (local := self.thresholds.in_force(self.engine_spec.model_name)):
            accept = local.accept
        return IdentifyOptions(
            min_faces=self.settings.min_faces,
            accept=accept,
            min_quality=self.settings.min_quality_threshold,
        )

    @property
    def publish_policy(self) -> Policy:
        """What the settings say about topics."""
        settings = self.settings
        return Policy(settings.min_faces_to_publish, settings.post_near_copies, settings.review_url)

    @property
    def crops(self) -> StoredCrops | None:
        """The faces to post where the settings want no whole pictures in a hub."""
        return self.faces if self.settings.publish_crops else None

    @property
    def faces(self) -> StoredCrops:
        """The faces that are asked about in hubs."""
        return StoredCrops(self.database, self.blobs)

    def doubts(self, *, look: bool = True) -> Sequence[Doubt] | None:
        """Give what is to be asked in hubs, the most useful first; ``None``: nothing is asked.

        Args:
            look: Compare all faces, for seconds or minutes; otherwise nothing new is asked.
        """
        if not self.settings.publish_uncertain:
            return None
        if not look:
            return ()
        from resources.vision.models import look_up

        model = self.engine_spec.model_name
        rules = self.identify_options.rules(look_up(model).thresholds)
        return doubts(self.asking, model, rules)

    @property
    def run_budget(self) -> int | None:
        """How many writes to a hub one scheduled run may make; a test server has no limit."""
        if self.settings.telegram_server:
            return None
        return RUN_MINUTES * self.settings.hub_operations_per_minute

    def pace(self, hub_no: HubNo) -> Pace:
        """Limit writes to a hub, by all runs together; a test server has no limit."""
        if self.settings.telegram_server:
            return no_pace
        return BudgetPace(
            HubBudget(
                self.database,
                hub_no,
                operations_per_minute=self.settings.hub_operations_per_minute,
            ),
            flood_sleep_limit_seconds=self.settings.flood_sleep_limit_seconds,
            on_wait=lambda seconds: _log.warning("hub_wait", seconds=seconds),
        )

    def hubs(self) -> list[Hub]:
        """Give the hubs in use; none where none was ever chosen.

        Raises:
            Permanent: HUB_GROUP_ID names a chat that is not a hub.
        """
        configured = self.settings.hub_group_id
        return hubs_in_use(self.topics, None if configured is None else ChatId(configured))

    @property
    def _workers(self) -> int:
        return self.settings.media_workers or os.cpu_count() or 1


def chosen_engine(settings: Settings, in_use: str | None = None) -> EngineSpec:
    """Name the model to work with; nothing is loaded yet.

    Args:
        settings: How it runs, and which it is where none is in use.
        in_use: What the archive says.
    """
    from resources.vision.factory import EngineSpec

    return EngineSpec(
        model_name=in_use or settings.model or DEFAULT_MODEL,
        models_dir=settings.models_dir,
        accept_noncommercial=settings.accept_noncommercial_models,
        providers=tuple(name.strip() for name in settings.vision_providers.split(",")),
        tiled=settings.find_tiny_faces,
    )
