"""What inputs and scores looked like when the model was fitted: written into its bundle, read by watching."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from features.contracts.errors import BundleError

Float64 = npt.NDArray[np.float64]

#: The file of a bundle that holds it.
REFERENCE: Final = "reference.json"
_BINS: Final = 10


@dataclass(frozen=True)
class Histogram:
    """``shares`` of users in the bins between ``edges``, the outer ones open; null last."""

    users: int
    edges: tuple[float, ...]  # (b - 1,) rising
    shares: tuple[float, ...]  # (b + 1,)

    @classmethod
    def of(cls, values: Float64, edges: tuple[float, ...] | None = None) -> Self:
        """Of values (n,), NaN for null; without ``edges`` in bins of equal mass, equal values sharing one."""
        if edges is None:
            known = values[np.isfinite(values)]
            cuts = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]) if len(known) else np.empty(0)
            edges = tuple(float(cut) for cut in np.unique(cuts))
        empty = cls(len(values), edges, ())
        return cls(len(values), edges, tuple(float(share) for share in empty.shares_of(values)))

    def shares_of(self, values: Float64) -> Float64:
        """(b + 1,) shares of other values in these bins."""
        place = np.where(np.isnan(values), len(self.edges) + 1, np.searchsorted(self.edges, values, side="left"))
        return np.bincount(place, minlength=len(self.edges) + 2) / max(len(values), 1)


@dataclass(frozen=True)
class Reference:
    """Histograms of every tag that matters and of the scores, at the model's as-of."""

    inputs: Mapping[str, Histogram]
    importance: Mapping[str, float]  # tag -> share of the mean |contribution|, summing to at most 1
    scores: Histogram
    mean_score: float
    auc: float | None = None  # on the window that judged it; None where it was not judged

    @classmethod
    def take(
        cls,
        tags: Mapping[str, Float64],
        probability: Float64,
        importance: Mapping[str, float],
        auc: float | None = None,
    ) -> Self:
        """From tag values (n,) by name, probabilities (n,) and the importance of tags in any unit."""
        total = sum(importance.values()) or 1.0
        return cls(
            inputs={name: Histogram.of(values) for name, values in tags.items()},
            importance={name: importance.get(name, 0.0) / total for name in tags},
            scores=Histogram.of(probability),
            mean_score=float(probability.mean()) if len(probability) else 0.0,
            auc=auc,
        )

    def to_json(self) -> str:
        """As the bundle's file."""
        document: dict[str, Any] = {
            "inputs": {name: vars(histogram) for name, histogram in self.inputs.items()},
            "importance": dict(self.importance),
            "scores": vars(self.scores),
            "mean_score": self.mean_score,
            "auc": self.auc,
        }
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str, name: str) -> Self:
        """Read it again; :class:`BundleError` names the file ``name`` when it is not whole."""
        try:
            kept = json.loads(text)
            return cls(
                inputs={tag: _histogram(part) for tag, part in kept["inputs"].items()},
                importance=kept["importance"],
                scores=_histogram(kept["scores"]),
                mean_score=kept["mean_score"],
                auc=kept["auc"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{name}: not a whole reference of inputs and scores: {error}") from error


def _histogram(part: Mapping[str, Any]) -> Histogram:
    return Histogram(part["users"], tuple(part["edges"]), tuple(part["shares"]))
