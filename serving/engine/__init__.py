"""From loaded bundles to answers. No web framework in here."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
    from serving.engine.asking import (
        Ask,
        Degraded,
        ItemList,
        Recommendation,
        RecommendedItem,
        RequestedFilters,
        SessionEvent,
    )
    from serving.engine.config import EngineConfig
    from serving.engine.intake import EventIntake
    from serving.engine.placements import Placement, load_placements
    from serving.engine.recommend import RecommendEngine
    from serving.engine.risk import RiskEngine, Risks

__all__ = [
    "Ask",
    "Degraded",
    "EngineConfig",
    "EventIntake",
    "ItemList",
    "Placement",
    "RecommendEngine",
    "Recommendation",
    "RecommendedItem",
    "RequestedFilters",
    "RiskEngine",
    "Risks",
    "SessionEvent",
    "load_placements",
]

__getattr__ = lazy(
    __name__,
    {
        "Ask": "serving.engine.asking",
        "Degraded": "serving.engine.asking",
        "EngineConfig": "serving.engine.config",
        "EventIntake": "serving.engine.intake",
        "ItemList": "serving.engine.asking",
        "Placement": "serving.engine.placements",
        "RecommendEngine": "serving.engine.recommend",
        "Recommendation": "serving.engine.asking",
        "RecommendedItem": "serving.engine.asking",
        "RequestedFilters": "serving.engine.asking",
        "RiskEngine": "serving.engine.risk",
        "Risks": "serving.engine.risk",
        "SessionEvent": "serving.engine.asking",
        "load_placements": "serving.engine.placements",
    },
)
