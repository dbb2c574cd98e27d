"""Everything a route may use, opened once per worker."""

from dataclasses import dataclass

from serving.api.metrics import Metrics
from serving.api.settings import Settings
from serving.engine.consent import refused_in_lake
from serving.engine.intake import EventIntake
from serving.engine.recommend import RecommendEngine
from serving.engine.risk import RiskEngine
from serving.marketing import ChurnLists
from serving.store import OnlineStore, open_store


@dataclass(frozen=True)
class Services:
    """The open parts of one worker."""

    settings: Settings
    store: OnlineStore
    intake: EventIntake
    recommend: RecommendEngine
    risk: RiskEngine
    lists: ChurnLists
    metrics: Metrics

    @classmethod
    def open(cls, settings: Settings, metrics: Metrics) -> "Services":
        """Open the store and load what is deployed. A model that is missing or damaged is logged and served without."""
        home, config = settings.home, settings.config
        store = open_store(home)
        recommend = RecommendEngine(
            home, store, settings.placements, config.engine, refused=lambda: refused_in_lake(home)
        )
        services = cls(
            settings=settings,
            store=store,
            intake=EventIntake(store),
            recommend=recommend,
            risk=RiskEngine(home),
            lists=ChurnLists(home),
            metrics=metrics,
        )
        services.refresh()
        return services

    def refresh(self) -> None:
        """Take up what was deployed or scored since the last look; what cannot be used is logged, the old stays."""
        self.recommend.refresh()
        self.risk.refresh()
        self.lists.refresh()
        self.metrics.model_is("recommend", self.recommend.model_version)
        self.metrics.model_is("churn", self.risk.model_version)

    def close(self) -> None:
        self.store.close()
