"""What another policy would have earned, estimated from what a logged stochastic policy showed.

A logged row is one item shown at one place: the reward that followed (1 for a click), the probability ``p`` with
which the logging policy chose that item for that place, and the probability ``t`` with which the target policy would
have. Its weight is ``w = t / p``.

* **IPS** ``mean(w r)``: unbiased wherever the logging policy could show what the target policy shows
  (Horvitz and Thompson, JASA 47, 1952).
* **SNIPS** ``sum(w r) / sum(w)``: a little biased, far less variable, and free of the offset of the reward
  (Swaminathan and Joachims, NeurIPS 2015).
* **DR** ``mean(m + w (r - q))``: ``q`` is a model's reward of the item shown, ``m`` its mean under the target policy;
  unbiased when either the propensities or the model are right (Dudík, Langford and Li, ICML 2011). The model must not
  have learnt from the very rows: fit it on other users or on earlier days.

Lists are judged place by place, as if what stands elsewhere in a list did not matter (the item-position model of Li
et al., KDD 2018): with ``place`` the value is that of a whole list, the sum over places of the mean at the place.
Attention that wanders off a good first item is not seen; for lists whose items compete, take the first place alone.

Every estimate is a sum of ratios of sums over clusters, by default the users, so that the rows of one user may depend
on each other. Two 95 % intervals stand beside it: percentiles of a bootstrap over clusters, and the normal one from the
linearised ratio (Cochran, "Sampling Techniques", 1977, section 6.3).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.contracts.errors import InputError, NotEnoughDataError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

#: Fewer effective rows than this carry no estimate.
LEAST_EFFECTIVE: Final = 100.0
#: Nor do fewer clusters: intervals rest on how much they differ.
LEAST_CLUSTERS: Final = 30
_Z: Final = 1.959964
_INTERVAL: Final = (2.5, 97.5)
_CELLS: Final = 4_000_000  # weights held at a time


@dataclass(frozen=True)
class Logged:
    """``n`` rows of a log and the target policy's view of them.

    Raises :class:`InputError` when arrays differ in length, a propensity is missing, not above 0 or above 1, or a
    target probability lies outside 0..1: without true propensities there is nothing to reweigh by.
    """

    reward: Float64  # (n,)
    propensity: Float64  # (n,) with which the item was chosen for its place, 0 < p <= 1
    target: Float64  # (n,) with which the target policy chooses it there, 0 <= t <= 1
    cluster: Int64  # (n,) code of the user, or of what else is drawn as one
    place: Int64 | None = None  # (n,) place in the list, 0 first; None: the value is that of a row

    def __post_init__(self) -> None:
        parts = [self.reward, self.propensity, self.target, self.cluster]
        if len({part.shape for part in (*parts, self.propensity if self.place is None else self.place)}) != 1:
            raise InputError("reward, propensity, target, cluster and place must have one value for each row")
        unusable = int(np.count_nonzero(~((self.propensity > 0) & (self.propensity <= 1))))
        if unusable:
            raise InputError(
                f"{unusable} of {len(self.propensity)} rows have no propensity in 0 < p <= 1; an off-policy estimate "
                "needs the probability with which each item was shown"
            )
        if not ((self.target >= 0) & (self.target <= 1)).all():
            raise InputError("the target policy's probabilities must lie in 0..1")
        if not np.isfinite(self.reward).all():
            raise InputError("a reward is missing; a row without a click has the reward 0")


@dataclass(frozen=True)
class Model:
    """A direct model's rewards for the rows of a :class:`Logged`."""

    shown: Float64  # (n,) of the item that was shown
    expected: Float64  # (n,) mean over the target policy's choices in the same context


@dataclass(frozen=True)
class Estimate:
    """An estimated value of the target policy with two 95 % intervals."""

    name: str  # "ips", "snips" or "dr"
    value: float
    low: float  # percentile bootstrap over clusters
    high: float
    normal_low: float
    normal_high: float


@dataclass(frozen=True)
class OffPolicy:
    """The estimates, and how far the log can carry them."""

    estimates: dict[str, Estimate]
    logged: float  # what the logging policy earned
    effective: float  # rows, (sum w)² / sum w² (Kish, 1965), of ``rows``
    rows: int
    mean_weight: float  # 1 in expectation; clearly less: the target shows what was never shown
    clipped: float  # share of rows whose weight was cut


def evaluate(
    logged: Logged,
    model: Model | None = None,
    *,
    clip: float | None = None,
    least_effective: float = LEAST_EFFECTIVE,
    least_clusters: int = LEAST_CLUSTERS,
    draws: int = 2000,
    seed: int = 0,
) -> OffPolicy:
    """IPS and SNIPS of the target policy, and DR with a ``model``.

    ``clip`` bounds the weights (Ionides, "Truncated importance sampling", 2008): less variance, but a bias, for IPS
    downwards, that no interval shows. ``draws`` are those of the bootstrap. Raises :class:`NotEnoughDataError` when
    fewer than ``least_effective`` rows speak for the target policy, or they come from fewer than ``least_clusters``: an
    interval from a handful would promise more than it knows.
    """
    raw = logged.target / logged.propensity
    weight = raw if clip is None else np.minimum(raw, clip)
    squares = float(np.square(weight).sum())
    effective = float(weight.sum()) ** 2 / squares if squares else 0.0
    if effective < least_effective:
        raise NotEnoughDataError(
            f"{effective:.0f} of {len(weight)} logged rows speak for the target policy, and {least_effective:.0f} are "
            "needed; take a longer log, a policy nearer to the logged one, or clip the weights"
        )
    sums = _Sums.of(logged)
    if sums.clusters < least_clusters:
        raise NotEnoughDataError(f"the rows come from {sums.clusters} users only; {least_clusters} are needed")
    one = np.ones_like(weight)
    parts = {"ips": (weight * logged.reward, one), "snips": (weight * logged.reward, weight)}
    if model is not None:
        if model.shown.shape != weight.shape or model.expected.shape != weight.shape:
            raise InputError("the direct model must give one value for each row")
        parts["dr"] = (model.expected + weight * (logged.reward - model.shown), one)
    return OffPolicy(
        estimates={name: sums.estimate(name, *pair, draws=draws, seed=seed) for name, pair in parts.items()},
        logged=float(sums.value(*(sums.add(part)[None].sum(axis=1) for part in (logged.reward, one)))[0]),
        effective=effective,
        rows=len(weight),
        mean_weight=float(raw.mean()),
        clipped=float((raw > weight).mean()),
    )


@dataclass(frozen=True)
class _Sums:
    """Adds rows up by cluster and place."""

    cell: Int64  # (n,) cluster * places + place
    clusters: int
    places: int

    @classmethod
    def of(cls, logged: Logged) -> "_Sums":
        names, cluster = np.unique(logged.cluster, return_inverse=True)
        if logged.place is None:
            return cls(cluster.astype(np.int64), len(names), 1)
        places, place = np.unique(logged.place, return_inverse=True)
        return cls(cluster.astype(np.int64) * len(places) + place, len(names), len(places))

    def add(self, part: Float64) -> Float64:
        """(clusters, places) sums of ``part`` (n,)."""
        summed: Float64 = np.bincount(self.cell, part, self.clusters * self.places).astype(np.float64, copy=False)
        return summed.reshape(self.clusters, self.places)

    @staticmethod
    def value(top: Float64, bottom: Float64) -> Float64:
        """(d,) sums over places of the ratios of ``top`` and ``bottom`` (d, places); a place without weight adds 0."""
        ratio = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
        return np.asarray(ratio.sum(axis=1))

    def estimate(self, name: str, top: Float64, bottom: Float64, *, draws: int, seed: int) -> Estimate:
        """``sum(top) / sum(bottom)``, place by place, with its intervals."""
        a, b = self.add(top), self.add(bottom)
        whole, below = a.sum(axis=0), b.sum(axis=0)
        value = float(self.value(whole[None], below[None])[0])
        slope = np.divide(1.0, below, out=np.zeros_like(below), where=below > 0)
        residual = ((a - b * (whole * slope)) * slope).sum(axis=1)
        error = float(np.sqrt(self.clusters / max(self.clusters - 1, 1) * np.square(residual).sum()))

        random = np.random.default_rng(seed)
        batch = max(1, _CELLS // self.clusters)
        drawn = []
        for start in range(0, draws, batch):
            size = (min(batch, draws - start), self.clusters)
            times = random.multinomial(self.clusters, np.full(self.clusters, 1 / self.clusters), size=size[0])
            drawn.append(self.value(times @ a, times @ b))
        low, high = np.percentile(np.concatenate(drawn), _INTERVAL)
        return Estimate(name, value, float(low), float(high), value - _Z * error, value + _Z * error)
