"""The recommendation bundle that a worker answers with, opened and checked."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from features.contracts.catalogue import CATEGORY_SEPARATOR
from serving.engine.live_facts import LiveFacts
from training.bundle import read_bundle
from training.interactions import SECONDS_PER_DAY, Float32, Int32, Interactions
from training.models.recommend_bundle import RecommendBundle
from training.models.recommender import Recommender


@dataclass(frozen=True)
class LiveModel:
    """A loaded bundle with the item facts that go with it. Replaced as a whole when another one is deployed."""

    path: Path
    bundle: RecommendBundle
    facts: LiveFacts = field(repr=False)
    ended_at: int  # seconds since 1970: the moment up to which the model has seen events
    popular: Int32 = field(repr=False)  # items that people took lately, the most popular first

    @classmethod
    def load(cls, path: Path) -> "LiveModel":
        """Open and verify the bundle at ``path``; raises :class:`~features.contracts.errors.BundleError`."""
        bundle = RecommendBundle.from_bundle(read_bundle(path))
        facts = LiveFacts(bundle.items, bundle.catalogue, bundle.on_sale, bundle.in_stock, bundle.shop_names)
        ended_at = int(datetime.fromisoformat(bundle.manifest.as_of).timestamp())
        return cls(path, bundle, facts, ended_at, _by_heat(bundle.recommender.statistics.heat_month))

    @property
    def version(self) -> str:
        return self.bundle.manifest.version

    @property
    def recommender(self) -> Recommender:
        return self.bundle.recommender

    @property
    def past(self) -> Interactions:
        """The histories that the bundle carries."""
        return self.bundle.interactions

    def moment(self, now: int, stale_after_days: float) -> int:
        """The moment of a question asked at ``now``: ``now``, or the end of the data when that is too long ago."""
        return self.ended_at if now - self.ended_at > stale_after_days * SECONDS_PER_DAY else now

    def heat(self, items: Int32) -> Float32:
        """(k,) how popular ``items`` are: log of decayed events."""
        return self.recommender.statistics.heat_month[items]

    def title(self, item: int) -> str | None:
        """The name of an item index, None when it has none."""
        return self.facts.title(item, self.bundle.title(item))

    def category(self, item: int) -> str | None:
        """The name of an item's innermost category, None when it is not known."""
        code = int(self.facts.facts.category[item])
        paths = self.bundle.catalogue.category_names
        return paths[code].rsplit(CATEGORY_SEPARATOR, 1)[-1] if 0 <= code < len(paths) else None


def _by_heat(heat: Float32) -> Int32:
    warm = np.flatnonzero(heat > 0)
    return warm[np.argsort(-heat[warm], kind="stable")].astype(np.int32)
