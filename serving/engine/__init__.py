"""From loaded bundles to answers. No web framework in here."""

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
