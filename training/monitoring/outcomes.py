"""How good the scores were, once labels are closed, and how good they are expected to be before."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from training.evaluation.probability import auc
from training.monitoring.config import MonitorConfig
from training.monitoring.findings import Finding, Level

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_QUANTILE: Final = 1.959964


def expected_findings(probability: Float64) -> list[Finding]:
    """What AUC, log-loss and Brier come to if the probabilities (n,) are right; never an alarm.

    Confidence-based performance estimation: the metrics' expectations under the calibrated probabilities themselves
    (Guillory et al., ICCV 2021, for accuracy). It sees a loss of separation, and is blind to a change of meaning: that
    is found when labels close.
    """
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    # Expected pairs that are in order over expected pairs: the stayer below the leaver, ties being rare.
    below = np.concatenate([[0.0], np.cumsum(1 - ranked)[:-1]])
    pairs = float(ranked.sum() * (1 - ranked).sum() - (ranked * (1 - ranked)).sum())
    area = float((ranked * below).sum() / pairs) if pairs > 0 else float("nan")
    loss = float(-(p * np.log(p) + (1 - p) * np.log1p(-p)).mean())
    brier = float((p * (1 - p)).mean())
    return [
        Finding(
            "expected",
            name,
            Level.FINE,
            value,
            f"expected {name} before labels close: {value:.4f}",
            f"标签闭合前的预期 {name}：{value:.4f}",
        )
        for name, value in (("auc", area), ("log_loss", loss), ("brier", brier))
    ]


def closed_findings(
    label: Bool, probability: Float64, holdout: Bool, trained_auc: float | None, config: MonitorConfig, window: str
) -> list[Finding]:
    """Calibration and ranking of a snapshot whose ``window`` has closed.

    ``label``, ``probability`` and ``holdout`` are (n,). Contacting keeps users, which looks like a wrong forecast, so
    hold-out users, who are never contacted, judge alone where there are enough of them.
    """
    alone = int(holdout.sum()) >= config.least_users
    if alone:
        label, probability = label[holdout], probability[holdout]
    n = len(label)
    if n < config.least_users:
        return []
    who, who_zh = (
        ("hold-out users", "对照组用户") if alone else ("users, contacted ones among them", "用户（含已触达）")
    )
    gap = float((probability - label).mean())
    error = float(np.sqrt(np.maximum(probability * (1 - probability), 1e-9).mean() / n))
    beyond = max(abs(gap) - _QUANTILE * error, 0.0)
    findings = [
        Finding(
            "calibration",
            window,
            Level.of(beyond, config.calibration),
            gap,
            f"{window}: {label.mean():.1%} of {n:,} {who} left, {probability.mean():.1%} were foretold",
            f"{window}：{n:,} 名{who_zh}中实际流失 {label.mean():.1%}，预测 {probability.mean():.1%}",
        )
    ]
    found = auc(label, probability)
    if trained_auc is not None and np.isfinite(found):
        # Hanley & McNeil (1982): the standard error of an AUC.
        ones, zeros = float(label.sum()), float((~label).sum())
        spread = found * (1 - found) + (ones - 1) * (found / (2 - found) - found**2)
        spread += (zeros - 1) * (2 * found**2 / (1 + found) - found**2)
        lost = max(trained_auc - found - _QUANTILE * float(np.sqrt(max(spread, 0.0) / (ones * zeros))), 0.0)
        findings.append(
            Finding(
                "ranking",
                window,
                Level.of(lost, config.auc_loss),
                found,
                f"{window}: AUC {found:.4f}, at training {trained_auc:.4f}",
                f"{window}：AUC {found:.4f}，训练时为 {trained_auc:.4f}",
            )
        )
    return findings


def age_finding(days: float, config: MonitorConfig) -> Finding:
    """How far behind the scores the model's data ends; scores may also be of a moment inside it."""
    days = max(days, 0.0)
    return Finding(
        "age",
        "",
        Level.of(days, config.model_age),
        days,
        f"the model's data ends {days:,.0f} days before the scores",
        f"模型所用数据截止于评分前 {days:,.0f} 天",
    )


def segment_findings(label: Bool, segments: Mapping[str, Bool], config: MonitorConfig, window: str) -> list[Finding]:
    """Segments of which more left than the mall allows, beyond chance; ``segments`` name (n,) members."""
    findings = []
    for name, members in segments.items():
        n = int(members.sum())
        if n < config.least_users:
            continue
        rate = float(label[members].mean())
        low = rate - _QUANTILE * float(np.sqrt(rate * (1 - rate) / n))
        level = Level.RED if low > 2 * config.segment_churn else Level.YELLOW if low > config.segment_churn else None
        if level is not None:
            findings.append(
                Finding(
                    "segment",
                    name,
                    level,
                    rate,
                    f"{window}: {rate:.1%} of {n:,} users of '{name}' left; the limit is {config.segment_churn:.0%}",
                    f"{window}：“{name}”的 {n:,} 名用户流失 {rate:.1%}，上限为 {config.segment_churn:.0%}",
                )
            )
    return findings
