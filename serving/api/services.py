"""Everything a route may use, opened once per worker."""

import gc
import logging
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from features.contracts.config import load_config
from features.contracts.errors import ConfigError
from features.contracts.home import Home
from features.contracts.rule_files import use_rules
from features.contracts.tag_settings import DEFAULTS, use_settings
from features.lake import Lake
from features.quality import RowScreener
from features.tags import catalogue
from serving.access.audit import AuditLog
from serving.access.buckets import Buckets
from serving.access.known_keys import KnownKeys
from serving.access.tokens import Tokens
from serving.api.freshness import watch_freshness
from serving.api.memory import give_back
from serving.api.metrics import Metrics
from serving.api.settings import Settings
from serving.engine.actions import ActionsConfig
from serving.engine.batching import Batcher
from serving.engine.consent import refused_in_lake
from serving.engine.identities import KnownAs
from serving.engine.intake import EventIntake
from serving.engine.permissions import Permissions
from serving.engine.recommend import RecommendEngine
from serving.engine.risk import RiskEngine
from serving.marketing import ChurnLists
from serving.store import OnlineStore, Scope, open_store

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """The open parts of one worker."""

    settings: Settings
    store: OnlineStore
    lake: Lake
    permissions: Permissions
    intake: EventIntake
    recommend: RecommendEngine
    batcher: Batcher
    risk: RiskEngine
    lists: ChurnLists
    metrics: Metrics
    keys: KnownKeys
    buckets: Buckets
    audit: AuditLog
    tokens: Tokens | None

    @classmethod
    def open(cls, settings: Settings, metrics: Metrics) -> "Services":
        """Open the store and load what is deployed. A model that is missing or damaged is logged and served without."""
        home, config = settings.home, settings.config
        # One process of several on the machine: arithmetic in threads of its own would take from the others.
        threadpool_limits(1)
        access = config.access
        _take_rules(home)
        store, lake = open_store(home, config.store), Lake(home)
        known_as = KnownAs(lake)
        recommend = RecommendEngine(
            home,
            store,
            settings.placements,
            config.engine,
            refused=lambda: refused_in_lake(home),
            known_as=known_as,
            erased=lake.tombstones,
            observer=metrics.engine,
        )
        services = cls(
            settings=settings,
            store=store,
            lake=lake,
            permissions=Permissions(lake, store, known_as),
            intake=EventIntake(store, RowScreener(key=lake.identity_key), config.store, lake.tombstones),
            recommend=recommend,
            batcher=Batcher(
                recommend, batch_size=config.engine.batch_questions, deadline=config.engine.deadline_ms / 1000
            ),
            risk=RiskEngine(home, load_config(ActionsConfig, home.configs / "actions.yaml", optional=True)),
            lists=ChurnLists(home),
            metrics=metrics,
            keys=KnownKeys(store, seconds=access.key_seconds, outage_seconds=access.key_outage_seconds),
            buckets=Buckets(home.online / "rates"),
            audit=AuditLog(home.audit, lake.identity_key),
            tokens=None if access.tokens is None else Tokens(access.tokens, tuple(scope.value for scope in Scope)),
        )
        services.refresh()
        # What is there now stays: without this, every full collection would walk through all of it.
        gc.collect()
        gc.freeze()
        return services

    def refresh(self) -> None:
        """Take up what was deployed or scored since the last look; what cannot be used is logged, the old stays."""
        before = self._loaded()
        self.recommend.refresh()
        self._read_permissions()
        self.risk.refresh()
        self.lists.refresh()
        if self._loaded() != before:
            give_back()
        self.metrics.model_is("recommend", self.recommend.model_version)
        for kind in ("churn", "value", "uplift"):
            self.metrics.model_is(kind, self.risk.versions.get(kind))
        watch_freshness(self.settings.home, self.store, self.metrics)

    def _loaded(self) -> tuple[object, ...]:
        engine = self.recommend
        return engine.model_version, engine.trial_version, dict(self.risk.versions), self.permissions.read

    def _read_permissions(self) -> None:
        try:
            self.permissions.refresh()
        except Exception:
            # What was read before holds; switches come from the store and are not touched by this.
            _LOG.exception("the lake's users cannot be read; consents of its table since the last look are not known")

    def close(self) -> None:
        self.batcher.close()
        self.store.close()
        self.buckets.close()
        use_rules(None)
        use_settings(DEFAULTS)


def _take_rules(home: Home) -> None:
    """Make the mall's rule tags known. Broken rules stop nobody who asks for recommendations or lists."""
    use_rules(home.tag_rules)
    use_settings(home.configs)
    try:
        catalogue()
    except ConfigError as error:
        _LOG.error("the tag rules are refused, what asks for tag declarations fails until they are mended: %s", error)
