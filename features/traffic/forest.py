"""The isolation forest over what one actor did on one day.

Liu, Ting and Zhou, "Isolation Forest", ICDM 2008: points that few random cuts set apart are anomalies. Its score s
lies between 0 and 1; 0.5 is ordinary. An anomaly is not a fraud: heavy shoppers are rare, too. So a score decides only
when it is high among the scores of the reference *and* a rule has found something odd, or when it is extreme.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.ensemble import IsolationForest

from features.traffic.behaviour import EVIDENCE, MEASURES
from features.traffic.config import ForestConfig

NAME: Final = "isolation_forest"
MEANING: Final = "a day unlike other days, with something odd that a rule alone would not judge"
MEANING_ZH: Final = "当日行为明显异于常态，且伴有可疑迹象"

_SUBSAMPLE: Final = 256  # rows per tree; the paper, section 4.2: more make the trees no better
_TO_SIGMA: Final = 1.4826  # median absolute deviation to standard deviation, for a normal distribution

Float = npt.NDArray[np.float64]


def period_start(day: date, config: ForestConfig) -> date:
    """The day at whose beginning the forest that judges ``day`` is fitted."""
    return day - timedelta(days=(day - date(1970, 1, 1)).days % config.refit_days)


def reference_days(day: date, config: ForestConfig) -> list[date]:
    """The days that the forest of ``day`` is fitted on."""
    start = period_start(day, config)
    return [start - timedelta(days=back) for back in range(config.reference_days, 0, -1)]


def sample_key(sample: pa.Table) -> str:
    """SHA-256 over the rows that a forest is fitted on."""
    values = np.stack([sample.column(name).to_numpy() for name in MEASURES], axis=1)
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


@dataclass(frozen=True)
class Forest:
    """A fitted forest and the score from which a day is suspicious."""

    trees: IsolationForest
    middle: Float  # (measures,) stands in for what is unknown
    suspicious: float
    config: ForestConfig

    @classmethod
    def fit(cls, sample: pa.Table, config: ForestConfig) -> "Forest | None":
        """Fit on the behaviour of actor-days in a fixed order; ``None`` when there are too few."""
        if len(sample) < config.least_rows:
            return None
        raw = _matrix(sample)
        known = np.where(np.isnan(raw).all(axis=0), 0.0, raw)
        middle = np.nanmedian(known, axis=0)
        values = np.where(np.isnan(raw), middle, raw)
        size = min(_SUBSAMPLE, len(values))
        trees = IsolationForest(n_estimators=config.trees, max_samples=size, random_state=config.seed, n_jobs=1)
        trees.fit(values)
        scores = -trees.score_samples(values)
        usual = np.median(scores)
        spread = _TO_SIGMA * np.median(np.abs(scores - usual))
        return cls(trees, middle, float(usual + config.deviations * spread), config)

    def judge(self, behaviour: pa.Table) -> tuple[Float, npt.NDArray[np.bool_]]:
        """Scores 0 to 1 and whether each actor-day of ``behaviour`` (n rows) is held to be fake."""
        if not len(behaviour):
            return np.empty(0), np.empty(0, dtype=bool)
        raw = _matrix(behaviour)
        scores = -self.trees.score_samples(np.where(np.isnan(raw), self.middle, raw))
        odd = np.asarray(pc.fill_null(behaviour.column(EVIDENCE), False))
        return scores, ((scores > self.suspicious) & odd) | (scores >= self.config.extreme)


def _matrix(behaviour: pa.Table) -> Float:
    """(n, measures), unknown as NaN."""
    columns = [behaviour.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in MEASURES]
    return np.stack(columns, axis=1)
