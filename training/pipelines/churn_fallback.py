"""The churn model when the rules of least data refuse: the best simple rule that the data allow.

It needs one snapshot whose label window has closed, however short the history before it. Which rule it is follows from
log-loss on users that the rule had not seen; a rule with a column must lower it by more than its standard error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from features.tags import spec_hash
from training.models.calibration import Calibrator, base_rate_shift
from training.models.churn import ChurnModel, required_tags
from training.models.churn_config import ChurnConfig, TierThresholds
from training.models.churn_fallback import Fallback, Rule
from training.models.churn_features import LINEAR_NAMES
from training.models.logistic import Logistic
from training.models.reasons import Both
from training.models.uncertainty import Uncertainty
from training.pipelines.churn_data import Rows, rows_of, stack, titles_of
from training.pipelines.snapshots import Described, Snapshot

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

#: Users of each class that a weight needs in each half (Peduzzi et al., J. Clin. Epidemiol. 1996: ten per variable).
_LEAST_OF_EACH_CLASS = 10
#: How far a base rate may move unforeseen (standard deviation in log-odds) where one snapshot cannot tell.
_UNKNOWN_DRIFT = 0.5


@dataclass(frozen=True)
class FittedFallback:
    """The model, without tiers, and what led to it."""

    model: ChurnModel
    choices: dict[str, Any]


def fit_fallback(
    snapshots: Sequence[Snapshot], now: Described, config: ChurnConfig, reason: Both, rule: Rule | None = None
) -> FittedFallback:
    """The best rule, or ``rule`` where it was chosen before, fitted on all ``snapshots``; ``reason``: what was missing.

    ``now`` are users at the cut-off. One class only gives the base rate: no user is told apart from another.
    """
    parts = [rows_of(s, (), config.label.horizon_days, np.inf) for s in snapshots]
    rows = stack(parts, config.snapshots.rows)
    losses: dict[str, float] = {}
    if rule is None:
        odd = [_odd(s) for s in snapshots]
        most = config.snapshots.rows // 2
        halves = [stack([part.take(o == side) for part, o in zip(parts, odd, strict=True)], most) for side in (0, 1)]
        rule, losses = _choose((halves[0], halves[1]))
    linear = _fit(rule, rows)
    raw = linear.log_odds(rows.columns.linear)
    model = ChurnModel(
        label=config.label,
        population=config.population,
        tiers=TierThresholds(),
        tags=(),
        titles=titles_of(required_tags((), config.label.event)),
        tag_spec=spec_hash(required_tags((), config.label.event)),
        rhythm=now.rhythm,
        linear=linear,
        members=(),
        calibrator=Calibrator.identity(),
        uncertainty=Uncertainty.fit(raw, rows.label, drift_of(parts, linear)),
        fallback=Fallback(rule, reason),
    )
    choices = {
        "fallback": True,
        "fallback_rule": str(rule),
        "fallback_reason": reason._asdict(),
        "fallback_log_loss": losses,
        "snapshots": [snapshot.as_of.isoformat() for snapshot in snapshots],
        "rows": len(rows),
        "churned": int(rows.label.sum()),
        "tags": [],
        "rhythm": model.rhythm.document(),
    }
    return FittedFallback(model, choices)


def _choose(halves: tuple[Rows, Rows]) -> tuple[Rule, dict[str, float]]:
    """The rule, and the mean log-loss of each on the half of users that it was not fitted on."""
    if any(min(half.label.sum(), (~half.label).sum()) < _LEAST_OF_EACH_CLASS for half in halves):
        return Rule.BASE_RATE, {}
    losses = {rule: np.concatenate([_losses(rule, *pair) for pair in (halves, halves[::-1])]) for rule in Rule}
    chosen = Rule.BASE_RATE
    for rule in Rule:
        gain = losses[chosen] - losses[rule]
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            chosen = rule
    return chosen, {str(rule): float(loss.mean()) for rule, loss in losses.items()}


def _losses(rule: Rule, fit: Rows, judge: Rows) -> Float64:
    """(n,) log-loss of each user of ``judge``."""
    odds = _fit(rule, fit).log_odds(judge.columns.linear)
    return np.asarray(np.logaddexp(0.0, odds) - judge.label * odds, dtype=np.float64)


def _fit(rule: Rule, rows: Rows) -> Logistic:
    """A logistic regression in which only the columns of ``rule`` have a weight."""
    width = len(LINEAR_NAMES)
    if rule is Rule.BASE_RATE:
        rate = (rows.label.sum() + 0.5) / (len(rows) + 1.0)
        return Logistic(np.zeros(width), np.ones(width), np.zeros(width), float(logit(rate)))
    read = np.array([name in rule.columns for name in LINEAR_NAMES])
    return Logistic.fit(rows.columns.linear * read, rows.label).only(read)


def drift_of(parts: Sequence[Rows], linear: Logistic) -> float:
    """How far each snapshot's base rate was from what the rule says, where there are several."""
    if len(parts) < 2:
        return _UNKNOWN_DRIFT
    shifts = [base_rate_shift(linear.log_odds(part.columns.linear), part.label) for part in parts]
    return max(_UNKNOWN_DRIFT / 2, float(np.sqrt(np.mean(np.square(shifts)))))


def _odd(snapshot: Snapshot) -> Bool:
    """(n,) half of the users, the same in every snapshot."""
    return np.array([crc32(user.encode()) % 2 == 1 for user in snapshot.known.user_id.to_pylist()], dtype=np.bool_)
