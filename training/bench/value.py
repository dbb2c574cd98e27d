"""``mallard bench value``: the value model against mean spend, last spend and BG/NBD with Gamma-Gamma."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.config import load_config
from features.contracts.errors import NotEnoughDataError
from features.contracts.home import Home
from features.contracts.progress import say, step
from features.lake import LoadedSource, read_table
from features.simulator import Truth
from features.sources import open_source
from training.bench.config import ValueBench
from training.bench.cutoffs import day_of, described, past_of, whole_of
from training.bench.measure import Cost, Meter
from training.bench.rows import SEED, Kind
from training.bench.true_futures import true_futures
from training.evaluation.paired import Paired, paired_bootstrap_statistic
from training.evaluation.spend import decile_rows, normalised_gini, spearman, spend_metrics, weighted_gini
from training.models.value_config import ValueConfig
from training.pipelines.value import BASELINES, PIPELINE, JudgedValue, evaluate_value, fit_value

METRIC = "gini"
ORACLE = "oracle"
#: Draws times users that the interval may cost, and the draws it has at most and at least.
_CELLS, _MOST_DRAWS, _FEWEST_DRAWS = 20_000_000, 1000, 200

Float64 = npt.NDArray[np.float64]


def bench_value(config_path: Path, settings: ValueConfig | None = None) -> dict[str, Any]:
    """Run the benchmark that ``config_path`` describes; the result is the content of ``result.json``.

    ``settings`` are those of value training, by default what ``mallard train`` uses; horizons and population are the
    benchmark's own. Errors as of :func:`training.bench.churn.bench_churn`.
    """
    config = load_config(ValueBench, config_path)
    if settings is None:
        settings = load_config(ValueConfig, Home.from_environment().configs / "value.yaml", optional=True)
    horizons = tuple(horizon // timedelta(days=1) for horizon in config.horizons)
    settings = settings.model_copy(update={"horizons": horizons, "population": config.population})
    truth = Truth.open(config_path.parent / config.truth) if config.truth is not None else None
    now = datetime.now(UTC)
    loaded = read_table(open_source(config.interactions, config_path.parent, config.items), now=now)
    return described(config.name, loaded) | {
        "cutoffs": [row for cutoff in config.cutoffs for row in _judge(loaded, cutoff, settings, truth)],
        "run_at": now.isoformat(timespec="seconds"),
    }


def _judge(loaded: LoadedSource, cutoff: datetime, settings: ValueConfig, truth: Truth | None) -> list[dict[str, Any]]:
    """One entry per window that closes within the data."""
    last = pc.max(loaded.events[c.OCCURRED_AT]).as_py()
    closed = [days for days in settings.horizons if last is not None and cutoff + timedelta(days=days - 1) <= last]
    for days in sorted(set(settings.horizons) - set(closed)):
        say(f"cut-off {day_of(cutoff)}: the data end on {last}, before a window of {days} days does: it is left out")
    if not closed:
        raise NotEnoughDataError(f"cut-off {day_of(cutoff)}: no window closes before the data end, at {last}")
    past = past_of(loaded, cutoff)
    with step(f"cut-off {day_of(cutoff)}"), Meter() as meter:
        fitted = fit_value(past, cutoff, settings)
        judged = evaluate_value(whole_of(loaded), fitted, cutoff, closed)
    if not judged.user_id:
        raise NotEnoughDataError(f"cut-off {day_of(cutoff)}: nobody is in the population")
    return [
        {
            "cutoff": day_of(cutoff),
            "horizon_days": days,
            "eligible": len(judged.user_id),
            **judge_window(judged, place, meter.cost),
            "next_purchase": _dates(judged),
            **(_against_truth(truth, cutoff, days, judged, place) if truth is not None else {}),
            "choices": fitted.choices,
        }
        for place, days in enumerate(closed)
    ]


def judge_window(judged: JudgedValue, place: int, cost: Cost) -> dict[str, Any]:
    """Rows, the paired comparison with the best baseline, and the deciles, of one window."""
    actual = judged.actual[:, place]
    scores = {name: values[:, place] for name, values in judged.scores.items()}
    rows = [_row(name, actual, score, cost) for name, score in scores.items()]
    best = max(BASELINES, key=lambda name: float(np.nan_to_num(normalised_gini(actual, scores[name]), nan=-1.0)))
    return {
        "mean_spend": float(actual.mean()),
        "buyers": float((actual > 0).mean()),
        "rows": rows,
        "paired": {"metric": METRIC, "against": best, **vars(compare(actual, scores[PIPELINE], scores[best]))},
        "deciles": decile_rows(actual, scores[PIPELINE]),
    }


def compare(actual: Float64, ours: Float64, other: Float64) -> Paired:
    """Gini of ``ours`` minus that of ``other``, by user."""
    draws = int(np.clip(_CELLS // len(actual), _FEWEST_DRAWS, _MOST_DRAWS))
    return paired_bootstrap_statistic(weighted_gini, actual, ours, other, draws=draws, seed=SEED)


def _row(name: str, actual: Float64, score: Float64, cost: Cost) -> dict[str, Any]:
    return {
        "model": name,
        "kind": str(Kind.PIPELINE if name == PIPELINE else Kind.ORACLE if name == ORACLE else Kind.BASELINE),
        "metrics": spend_metrics(actual, score),
        "seconds": round(cost.seconds, 3),
        "peak_mb": round(cost.peak_mb, 1),
        "cost_shared": True,
    }


def _dates(judged: JudgedValue) -> dict[str, Any]:
    """How far foretold dates were off, of users who got one and bought within the longest window."""
    both = np.isfinite(judged.next_purchase) & np.isfinite(judged.foretold_next)
    if not both.any():
        return {"users": 0}
    off = judged.foretold_next[both] - judged.next_purchase[both]
    return {"users": int(both.sum()), "median_error_days": float(np.median(np.abs(off)))}


def _against_truth(truth: Truth, cutoff: datetime, days: int, judged: JudgedValue, place: int) -> dict[str, Any]:
    """The oracle's row, and the share of its rank correlation that the model reaches, over users it knows."""
    known, futures = true_futures(truth, judged.user_id, cutoff, days)
    true = futures["expected_spend"].to_numpy().astype(np.float64)
    actual, ours = judged.actual[known, place], judged.scores[PIPELINE][known, place]
    reached, best = spearman(actual, ours), spearman(actual, true)
    return {
        "oracle": {
            "users": int(known.sum()),
            "metrics": spend_metrics(actual, true),
            "pipeline": reached,
            "oracle": best,
            "share": reached / best,
            "with_truth": spearman(true, ours),
        }
    }
