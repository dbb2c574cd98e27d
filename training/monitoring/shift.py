"""How far inputs and scores moved, as an effect size that does not grow with the number of users.

PSI is the symmetric Kullback-Leibler divergence of two histograms. Where nothing has moved it is not 0: with ``b`` bins
and samples of n and m it is about chi-squared with b - 1 degrees of freedom times (1/n + 1/m) (Yurdakul & Naranjo 2020,
"Statistical properties of the population stability index"). What chance explains, at ``z`` = 3 normal deviations, is
taken off: at a large n next to nothing, at a small n a good deal, so neither raises an alarm by itself.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from training.monitoring.config import MonitorConfig
from training.monitoring.findings import Finding, Level
from training.monitoring.reference import Histogram, Reference

Float64 = npt.NDArray[np.float64]

_Z: Final = 3.0


def psi_beyond_chance(reference: Histogram, values: Float64) -> float:
    """PSI of ``values`` (m,) against a histogram, less what chance explains; never below 0. NaN is a bin of its own."""
    if not len(values) or not reference.users:
        return 0.0
    n, m = reference.users, len(values)
    expected = np.asarray(reference.shares, dtype=np.float64)
    found = reference.shares_of(values)
    used = (expected > 0) | (found > 0)
    # Half a user in an empty bin, so that a value never seen before counts without being infinite.
    p = np.maximum(expected[used], 0.5 / n)
    q = np.maximum(found[used], 0.5 / m)
    p, q = p / p.sum(), q / q.sum()
    psi = float(((q - p) * np.log(q / p)).sum())
    freedom = max(int(used.sum()) - 1, 0)
    chance = (1 / n + 1 / m) * (freedom + _Z * np.sqrt(2 * freedom))
    return max(psi - float(chance), 0.0)


def input_findings(
    reference: Reference,
    tags: Mapping[str, Float64],
    config: MonitorConfig,
    season: Mapping[str, Float64] | None = None,
) -> list[Finding]:
    """All inputs together by importance, then every important tag that moved, the most important first.

    ``tags`` are (m,) values by name; a tag that is missing there counts as null throughout. With ``season``, the values
    of the same season a year before, a tag has moved only as far as it also differs from then: a promotion that comes
    every year is no alarm.
    """
    moved: dict[str, float] = {}
    for name, histogram in reference.inputs.items():
        values = tags.get(name)
        psi = psi_beyond_chance(histogram, _known(values, tags))
        if season is not None and name in season:
            psi = min(psi, psi_beyond_chance(Histogram.of(season[name], histogram.edges), _known(values, tags)))
        moved[name] = psi
    total = float(sum(moved[name] * reference.importance.get(name, 0.0) for name in moved))
    findings = [
        Finding(
            "inputs",
            "",
            Level.of(total, config.input_drift),
            total,
            f"what the model reads moved by {total:.3f} (PSI beyond chance, weighted by importance)",
            f"模型输入整体偏移 {total:.3f}（扣除偶然后的 PSI，按重要性加权）",
        )
    ]
    for name in sorted(moved, key=lambda n: -moved[n] * reference.importance.get(n, 0.0)):
        share = reference.importance.get(name, 0.0)
        if share >= config.tag_importance and (level := Level.of(moved[name], config.tag_drift)) > Level.FINE:
            findings.append(
                Finding(
                    "inputs",
                    name,
                    level,
                    moved[name],
                    f"'{name}' moved by {moved[name]:.3f}; it carries {share:.0%} of what the model looks at",
                    f"标签“{name}”偏移 {moved[name]:.3f}，占模型关注度的 {share:.0%}",
                )
            )
    return findings


def score_findings(
    reference: Reference, probability: Float64, config: MonitorConfig, season: Float64 | None = None
) -> list[Finding]:
    """How far the probabilities (m,) moved from those at training, and from the same ``season`` where there is one."""
    psi = psi_beyond_chance(reference.scores, probability)
    if season is not None:
        psi = min(psi, psi_beyond_chance(Histogram.of(season, reference.scores.edges), probability))
    mean, before = float(probability.mean()), reference.mean_score
    return [
        Finding(
            "scores",
            "",
            Level.of(psi, config.score_drift),
            psi,
            f"probabilities moved by {psi:.3f}: mean {mean:.3f}, at training {before:.3f}",
            f"流失概率偏移 {psi:.3f}：均值 {mean:.3f}，训练时为 {before:.3f}",
        )
    ]


def _known(values: Float64 | None, tags: Mapping[str, Float64]) -> Float64:
    """The values of a tag; of a missing one, null for as many users as the others have."""
    if values is not None:
        return values
    return np.full(len(next(iter(tags.values()), np.empty(0))), np.nan)
