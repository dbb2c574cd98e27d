"""The model beside its baselines on the validation folds, all fitted on the same past."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.evaluation.probability import probability_metrics
from training.models.calibration import Calibrator, Kind
from training.models.churn_baselines import NAMES, ChurnBaseline
from training.models.churn_config import ChurnConfig
from training.pipelines.churn_choices import Held
from training.pipelines.churn_folds import ChurnFold
from training.pipelines.snapshots import Snapshot

PIPELINE = "pipeline"


def fit_baselines(snapshots: Sequence[Snapshot], config: ChurnConfig) -> dict[str, ChurnBaseline]:
    """Every baseline by name, fitted on these snapshots."""
    past = [(s.known.summary, s.event_rhythm, s.label) for s in snapshots]
    return {name: ChurnBaseline.fit(name, past, config.label.horizon_days) for name in NAMES}


def judge_folds(
    snapshots: Sequence[Snapshot], folds: Sequence[ChurnFold], held: Sequence[Held], kind: Kind, config: ChurnConfig
) -> list[dict[str, Any]]:
    """One row per fold and model: the moment, users, base rate and metrics.

    Held predictions are calibrated by what the other folds taught; with a single fold they stay as they are.
    """
    table = []
    for position, fold in enumerate(folds):
        snapshot = snapshots[fold.judged]
        others = [h for i, h in enumerate(held) if i != position]
        calibrator = Calibrator.identity()
        if others:
            raw, label = (np.concatenate([getattr(o, part) for o in others]) for part in ("raw", "label"))
            calibrator = Calibrator.fit(kind, raw, label)
        summary = snapshot.known.summary.take(fold.valid_users)
        baselines = fit_baselines([snapshots[i] for i in fold.fit_on], config)
        scores = {PIPELINE: calibrator.probability(held[position].raw)}
        scores |= {name: b.probability(summary, snapshot.event_rhythm) for name, b in baselines.items()}
        table += [
            {
                "as_of": snapshot.as_of.isoformat(),
                "separation": str(fold.separation),
                "model": name,
                "users": len(fold.valid),
                "base_rate": float(fold.valid.label.mean()),
                **probability_metrics(fold.valid.label, probability),
            }
            for name, probability in scores.items()
        ]
    return table
