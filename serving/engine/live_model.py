"""The recommendation bundle that a worker answers with, opened and checked."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from features.contracts.ids import UNKNOWN
from serving.engine.live_facts import LiveFacts
from serving.engine.names import CatalogueNames
from training.bundle import read_bundle
from training.interactions import SECONDS_PER_DAY, Histories, Interactions
from training.models.recommend_bundle import RecommendBundle
from training.models.recommender import Recommender


@dataclass(frozen=True)
class LiveModel:
    """A loaded bundle with the item facts that go with it. Replaced as a whole when another one is deployed."""

    path: Path
    bundle: RecommendBundle
    facts: LiveFacts = field(repr=False)
    names: CatalogueNames = field(repr=False)
    ended_at: int  # seconds since 1970: the moment up to which the model has seen events

    @classmethod
    def load(cls, path: Path) -> "LiveModel":
        """Open and verify the bundle at ``path``; raises :class:`~features.contracts.errors.BundleError`."""
        bundle = RecommendBundle.from_bundle(read_bundle(path))
        facts = LiveFacts(bundle.items, bundle.catalogue, bundle.on_sale, bundle.in_stock)
        ended_at = int(datetime.fromisoformat(bundle.manifest.as_of).timestamp())
        return cls(path, bundle, facts, CatalogueNames(bundle.catalogue), ended_at)

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

    def nobody(self, as_of: int) -> Histories:
        """The history of somebody of whom nothing is known."""
        return self.past.histories(np.array([UNKNOWN], dtype=np.int32), as_of)

    def title(self, item: int) -> str | None:
        """The name of an item index, None when it has none."""
        return self.facts.title(item, self.bundle.title(item))
