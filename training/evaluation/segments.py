"""For whom probabilities are good: every metric within groups of users, each with its size and an interval.

Arrays in, values out. A group too small to say anything is refused by name, not left out in silence.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from training.evaluation.paired import Float64, weighted_auc
from training.evaluation.probability import probability_metrics

Bool = npt.NDArray[np.bool_]

#: Users of each outcome that a group needs (Segment asks for 100, its lists being of thousands).
LEAST_OF_EACH: Final = 30
LEAST_USERS: Final = 100
_DRAWS: Final = 200
_INTERVAL: Final = (2.5, 97.5)


def judge_segments(
    label: Bool, probability: Float64, groups: Mapping[str, Bool], *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Group -> ``users``, ``base_rate``, ``mean_probability``, ``metrics`` and 95 % ``intervals``, or why not.

    ``label`` and ``probability`` are (n,), ``groups`` name (n,) members. ``intervals`` are of AUC and Brier, by drawing
    the group's users with replacement, and of ``bias``: mean probability less the share to whom it happened. A group
    of fewer than 100 users, or than 30 of either outcome, has ``refused`` in place of figures; empty ones are left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for position, (name, members) in enumerate(groups.items()):
        happened, said = label[members], probability[members]
        if not len(said):
            continue
        of_each = min(int(happened.sum()), int((~happened).sum()))
        if len(said) < LEAST_USERS or of_each < LEAST_OF_EACH:
            found[name] = {
                "users": len(said),
                "refused": f"{len(said)} users, {of_each} of the rarer outcome; "
                f"{LEAST_USERS} and {LEAST_OF_EACH} are needed",
            }
            continue
        found[name] = {
            "users": len(said),
            "base_rate": float(happened.mean()),
            "mean_probability": float(said.mean()),
            "bias": float(said.mean() - happened.mean()),
            "metrics": probability_metrics(happened, said),
            "intervals": _intervals(happened, said, seed + position),
        }
    return found


def _intervals(label: Bool, probability: Float64, seed: int) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    n = len(label)
    areas, scores, biases = [], [], []
    squared, gap = (probability - label) ** 2, probability - label
    for _ in range(_DRAWS):
        weight = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        areas.append(float(weighted_auc(label, probability, weight[None])[0]))
        scores.append(float(weight @ squared / n))
        biases.append(float(weight @ gap / n))
    named = {"auc": areas, "brier": scores, "bias": biases}
    return {name: [float(v) for v in np.nanpercentile(values, _INTERVAL)] for name, values in named.items()}
