"""``mallard bench churn``: the churn model against recency, frequency, RFM and BG/NBD at each cut-off."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.config import load_config
from features.contracts.errors import NotEnoughDataError
from features.contracts.events import EventType
from features.contracts.home import Home
from features.contracts.progress import say, step
from features.lake import LoadedSource, read_table
from features.simulator import Truth
from features.sources import open_source
from training.bench.churn_account import account_of, standings
from training.bench.config import ChurnBench
from training.bench.cutoffs import day_of, described, past_of, whole_of
from training.bench.measure import Cost, Meter
from training.bench.rows import SEED, Kind
from training.bench.true_futures import true_futures
from training.evaluation.coverage import coverage
from training.evaluation.paired import paired_bootstrap_statistic, weighted_auc
from training.evaluation.probability import probability_metrics
from training.models.churn_config import ChurnConfig
from training.models.uncertainty import LEVEL
from training.pipelines.churn import HIGH, LABEL, LOW, evaluate_churn, fit_churn
from training.pipelines.churn_judge import PIPELINE

METRIC = "auc"
_MOST_DRAWS, _FEWEST_DRAWS = 1000, 200
_CELLS = 50_000_000  # draws times users that the interval may cost

Labels = npt.NDArray[np.bool_]
Scores = Mapping[str, npt.NDArray[np.float64]]


def bench_churn(config_path: Path, settings: ChurnConfig | None = None) -> dict[str, Any]:
    """Run the benchmark that ``config_path`` describes; the result is the content of ``result.json``.

    ``settings`` are those of churn training, by default what ``mallard train`` uses; label and population are the
    benchmark's own. Raises an :class:`~features.contracts.errors.InputError` that names file and key, or file and row,
    of what cannot be used, and :class:`NotEnoughDataError` when a cut-off leaves nothing to learn or to judge.
    """
    config = load_config(ChurnBench, config_path)
    if settings is None:
        settings = load_config(ChurnConfig, Home.from_environment().configs / "churn.yaml", optional=True)
    settings = settings.model_copy(update={"label": config.label, "population": config.population})
    truth = Truth.open(config_path.parent / config.truth) if config.truth is not None else None
    now = datetime.now(UTC)
    loaded = read_table(open_source(config.interactions, config_path.parent, config.items), now=now)
    for cutoff in config.cutoffs:
        _check_window(loaded.events, cutoff, settings)
    return described(config.name, loaded) | {
        "cutoffs": [_judge(loaded, cutoff, settings, truth) for cutoff in config.cutoffs],
        "run_at": now.isoformat(timespec="seconds"),
    }


def _check_window(events: pa.Table, cutoff: datetime, settings: ChurnConfig) -> None:
    last = pc.max(events[c.OCCURRED_AT]).as_py()
    if last is None or last < cutoff:
        raise NotEnoughDataError(
            f"cut-off {day_of(cutoff)}: the last event is at {last}; nothing is left to judge predictions by"
        )
    if last < cutoff + settings.label.closes:
        say(
            f"cut-off {day_of(cutoff)}: the data end on {last.date()}, "
            "before the label window does: labels are incomplete"
        )


def _judge(loaded: LoadedSource, cutoff: datetime, settings: ChurnConfig, truth: Truth | None) -> dict[str, Any]:
    past = past_of(loaded, cutoff)
    with step(f"cut-off {day_of(cutoff)}"), Meter() as meter:
        fitted = fit_churn(past, cutoff, settings)
        whole = whole_of(loaded)
        frame = evaluate_churn(whole, fitted, cutoff)
    if frame.empty:
        raise NotEnoughDataError(f"cut-off {day_of(cutoff)}: nobody is in the population")
    label = frame[LABEL].to_numpy(dtype=np.bool_)
    scores = {name: frame[name].to_numpy(dtype=np.float64) for name in (PIPELINE, *fitted.baselines)}
    rows = [_row(name, label, scores, meter.cost) for name in scores]
    paired = _paired(rows, label, scores)
    columns = [{**row, "column": PIPELINE if row["kind"] == Kind.PIPELINE else row["model"]} for row in rows]
    return {
        "cutoff": day_of(cutoff),
        "horizon_days": settings.label.horizon_days,
        "event": str(settings.label.event),
        "eligible": len(label),
        "base_rate": float(label.mean()),
        "rows": rows,
        **paired,
        "standings": standings(columns, frame, paired["paired"]["against"]),
        **account_of(whole, fitted, frame, cutoff),
        **(_against_truth(truth, frame, cutoff, settings) if truth is not None else {}),
        "choices": fitted.choices,
        "validation": fitted.validation,
    }


def _row(name: str, label: Labels, scores: Scores, cost: Cost) -> dict[str, Any]:
    """Baselines are fitted with the model on the same snapshots, so that all rows of a cut-off share one cost."""
    return {
        "model": "churn" if name == PIPELINE else name,
        "kind": str(Kind.PIPELINE if name == PIPELINE else Kind.BASELINE),
        "metrics": probability_metrics(label, scores[name]),
        "seconds": round(cost.seconds, 3),
        "peak_mb": round(cost.peak_mb, 1),
        "cost_shared": True,
    }


def _against_truth(truth: Truth, frame: pd.DataFrame, cutoff: datetime, settings: ChurnConfig) -> dict[str, Any]:
    """``oracle``: the true probabilities judged on the same users, the share of their AUC beyond a half that the model
    reaches, and whether intervals cover the true rates.
    """
    known, futures = true_futures(truth, frame[c.USER_ID].to_list(), cutoff, round(settings.label.horizon_days))
    column = "p_no_purchase" if settings.label.event is EventType.PURCHASE else "p_no_action"
    true = futures[column].to_numpy().astype(np.float64)
    label, ours, low, high = (frame[name].to_numpy()[known] for name in (LABEL, PIPELINE, LOW, HIGH))
    best, reached = (probability_metrics(label, values) for values in (true, ours))
    return {
        "oracle": {
            "users": int(known.sum()),
            "users_without_truth": int((~known).sum()),
            "metrics": best,
            "pipeline": reached,
            "share": (reached[METRIC] - 0.5) / (best[METRIC] - 0.5),
            "coverage": vars(coverage(true, ours, low, high, LEVEL)),
        }
    }


def _paired(rows: list[dict[str, Any]], label: Labels, scores: Scores) -> dict[str, Any]:
    """``paired``: the pipeline minus the best baseline; ``paired_with_each``: minus every baseline, in its order."""
    rivals = [row for row in rows if row["kind"] == Kind.BASELINE]
    best = min(rivals, key=lambda row: (-np.nan_to_num(row["metrics"][METRIC]), row["model"]))["model"]
    draws = int(np.clip(_CELLS // len(label), _FEWEST_DRAWS, _MOST_DRAWS))
    ours = scores[PIPELINE]
    with step("comparing with the baselines"):
        each = [
            {"metric": METRIC, "against": name}
            | vars(paired_bootstrap_statistic(weighted_auc, label, ours, scores[name], draws=draws, seed=SEED))
            for name in (row["model"] for row in rivals)
        ]
    return {"paired": next(one for one in each if one["against"] == best), "paired_with_each": each}
