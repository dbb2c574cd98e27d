"""What a judged churn model is like, beyond its metrics: the parts of a result that people read.

Used by the benchmark and by the training job, so that the report of either shows the same things.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom

from features.engine import EventTables
from training.bench.rows import SEED
from training.evaluation.coverage import coverage
from training.evaluation.paired import paired_bootstrap_statistic, weighted_auc
from training.evaluation.probability import reliability
from training.models.churn_scores import ChurnScores, Tier
from training.models.reasons import CHINESE, concept
from training.models.tiers import Stakes, profit_curve
from training.models.uncertainty import LEVEL
from training.pipelines.churn import HIGH, LABEL, LOW, FittedChurn
from training.pipelines.churn_heads import judge_horizons
from training.pipelines.churn_judge import PIPELINE
from training.pipelines.churn_segments import judge_frame
from training.pipelines.churn_stability import reason_stability

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

#: Points of a curve that a page draws.
_POINTS: Final = 41
_BAND: Final = (0.05, 0.95)
_CELLS: Final = 20_000_000
_MOST_REASONS: Final = 10
#: Reasons are counted among one user in so many, the likeliest to leave.
_RISKIEST: Final = 5


def account_of(tables: EventTables, fitted: FittedChurn, frame: pd.DataFrame, cutoff: datetime) -> dict[str, Any]:
    """``slices``, ``reliability``, ``coverage``, ``gain``, ``profit``, ``tiers``, ``reasons``, ``stability`` and
    ``horizons`` of a judged model.

    ``frame`` is that of ``evaluate_churn`` at ``cutoff``; nothing here has any influence on the model.
    """
    label, ours = frame[LABEL].to_numpy(dtype=np.bool_), frame[PIPELINE].to_numpy(dtype=np.float64)
    scores = fitted.model.predict(fitted.examples)
    return {
        "slices": judge_frame(tables, cutoff, frame, LABEL),
        "reliability": _reliability(label, ours),
        "coverage": vars(coverage(label, ours, frame[LOW].to_numpy(), frame[HIGH].to_numpy(), LEVEL)),
        "gain": _gain(label, ours),
        "profit": _profit(fitted, scores, ours),
        "tiers": _tiers(fitted, label, ours),
        "reasons": _reasons(scores),
        "stability": vars(reason_stability(fitted)),
        "horizons": judge_horizons(tables, fitted.model, fitted.config, cutoff),
    }


def standings(rows: Sequence[Mapping[str, Any]], frame: pd.DataFrame, best: str) -> list[dict[str, Any]]:
    """Every model's AUC, and the interval in which it lies when that of ``best`` is taken as it is.

    ``rows`` have ``model``, ``kind`` and ``column`` of the frame.
    """
    label = frame[LABEL].to_numpy(dtype=np.bool_)
    draws = int(np.clip(_CELLS // len(label), 100, 1000))
    found = []
    for row in rows:
        ours, theirs = (frame[name].to_numpy(dtype=np.float64) for name in (row["column"], best))
        value = float(weighted_auc(label, ours, np.ones((1, len(label))))[0])
        gap = paired_bootstrap_statistic(weighted_auc, label, ours, theirs, draws=draws, seed=SEED)
        low, high = value - gap.mean + gap.low, value - gap.mean + gap.high
        found.append({"model": row["model"], "kind": row["kind"], "value": value, "low": low, "high": high})
    return found


def _reliability(label: Bool, probability: Float64) -> list[dict[str, float]]:
    """Bins of equal size with the band in which a perfect model stays nine times in ten."""
    table = reliability(label, probability)
    low, high = (binom.ppf(q, table.users, np.clip(table.predicted, 0, 1)) / table.users for q in _BAND)
    return [
        {"users": int(n), "predicted": float(p), "observed": float(o), "low": float(a), "high": float(b)}
        for n, p, o, a, b in zip(table.users, table.predicted, table.observed, low, high, strict=True)
    ]


def _gain(label: Bool, probability: Float64) -> list[dict[str, float]]:
    """Share of those who left that the first so many users hold."""
    found = np.concatenate([[0], np.cumsum(label[np.argsort(-probability, kind="stable")])])
    at = np.linspace(0, len(label), _POINTS).astype(np.int64)
    total = max(int(label.sum()), 1)
    return [{"share": float(n / len(label)), "found": float(found[n] / total)} for n in at]


def _profit(fitted: FittedChurn, scores: ChurnScores, probability: Float64) -> dict[str, Any]:
    """Expected profit per user of contacting the first so many, each worth what users are at the mean."""
    mean = float(scores.spend_if_kept.mean()) if len(scores) else 0.0
    stakes = Stakes.of(fitted.config.tiers, np.full(len(probability), mean))
    at = np.linspace(0, len(probability), _POINTS).astype(np.int64)
    curves = {
        name: (profit_curve(probability, stakes.profit(probability, rate))[at] / len(probability)).tolist()
        for name, rate in (("mean", stakes.mean_rate), ("low", stakes.low_rate))
    }
    return {"share": (at / len(probability)).tolist(), **curves, "rate": stakes.mean_rate, "low_rate": stakes.low_rate}


def _tiers(fitted: FittedChurn, label: Bool, probability: Float64) -> list[dict[str, Any]]:
    bounds = fitted.model.tiers
    tier = np.digitize(probability, [bounds.yellow, bounds.red])
    return [
        {
            "tier": str(name),
            "from": start,
            "users": int((tier == place).sum()),
            "left": float(label[tier == place].mean()) if (tier == place).any() else None,
            "predicted": float(probability[tier == place].mean()) if (tier == place).any() else None,
        }
        for name, place, start in ((Tier.RED, 2, bounds.red), (Tier.YELLOW, 1, bounds.yellow), (Tier.BLUE, 0, 0.0))
    ]


def _reasons(scores: ChurnScores) -> list[dict[str, Any]]:
    """The concepts told most to the fifth who are likeliest to leave, each with the sentence of one of them."""
    riskiest = np.argsort(-scores.probability, kind="stable")[: max(1, len(scores) // _RISKIEST)]
    counted: Counter[str] = Counter()
    said: dict[str, tuple[str, str]] = {}
    for row in riskiest:
        for reason in scores.reasons(int(row)):
            if reason.raises:
                name = concept(reason.code)
                counted[name] += 1
                said.setdefault(name, (reason.text, reason.text_zh))
    return [
        {
            "concept": {"en": name, "zh": CHINESE.get(name, name)},
            "share": count / len(riskiest),
            "example": {"en": said[name][0], "zh": said[name][1]},
        }
        for name, count in counted.most_common(_MOST_REASONS)
    ]
