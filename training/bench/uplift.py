"""``mallard bench uplift``: the effect of contacting on held-out users of an experiment that a YAML file describes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.contracts.config import load_config
from features.contracts.errors import InputError
from features.contracts.home import Home
from features.contracts.progress import step
from training.bench.config import TrialTable, UpliftBench
from training.bench.measure import Meter
from training.bench.provenance import code_version, machine
from training.bench.rows import SEED, Kind
from training.evaluation.uplift import effect_scores, mean_effect, qini, qini_curve, uplift_at
from training.models.boosting import log_odds
from training.models.uplift_config import UpliftConfig
from training.models.uplift_learners import Arms, Trial
from training.pipelines.uplift import check_trial, fit_uplift, recipe_of

Float64 = npt.NDArray[np.float64]

PIPELINE, LIKELY = "uplift", "likely_outcome"
#: Words of a column beyond this many are one column together.
_MOST_WORDS = 20


def bench_uplift(config_path: Path, settings: UpliftConfig | None = None) -> dict[str, Any]:
    """Run the benchmark that ``config_path`` describes; the result is the content of ``result.json``.

    The baseline contacts those first who are likeliest to have the outcome, as mailing lists commonly do. Raises
    :class:`InputError` for a table that cannot be read, :class:`NotEnoughDataError` for what is no experiment.
    """
    config = load_config(UpliftBench, config_path)
    if settings is None:
        settings = load_config(UpliftConfig, Home.from_environment().configs / "uplift.yaml", optional=True)
    trial = read_trial(config.table, config_path.parent)
    judge = np.random.default_rng(config.seed).permutation(len(trial)) < round(len(trial) * config.test_share)
    fit, test = trial.take(~judge), trial.take(judge)
    check_trial(test, settings)
    with step("learning the effect"), Meter() as meter:
        fitted = fit_uplift(fit, settings)
        likely = Arms.fit(fit, recipe_of(fit, settings), settings.seed).treated
    effects = {PIPELINE: fitted.effect.of(test.columns), LIKELY: log_odds(likely, test.columns)}
    score = effect_scores(test.treated, test.propensity, test.outcome.astype(np.float64))
    rows = [_row(name, score, effect, meter) for name, effect in effects.items()]
    area = qini(score, effects[PIPELINE], seed=SEED)
    curve = qini_curve(score, effects[PIPELINE])
    return {
        "name": config.name,
        "users": len(trial),
        "test_users": len(test),
        "commit": code_version(),
        "machine": machine(),
        "mean_effect": vars(mean_effect(score, seed=SEED)),
        "rows": rows,
        "paired": {"metric": "qini", "against": "random order", **vars(area)},
        "curve": {"share": curve.share.tolist(), "gain": curve.gain.tolist()},
        "deciles": _deciles(score, effects[PIPELINE]),
        "choices": fitted.choices,
        "run_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def read_trial(spec: TrialTable, base: Path) -> Trial:
    """The users of a table; words become one column each, 1 where they stand."""
    path = base / spec.path
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from error
    needed = [spec.treatment, spec.outcome, *spec.features]
    needed += [spec.propensity] if isinstance(spec.propensity, str) else []
    for name in needed:
        if name not in table.columns:
            raise InputError(f"{path}: has no column '{name}'; it has {', '.join(map(str, table.columns))}")
    arm = table[spec.treatment].astype(str)
    for word in spec.control:
        if not (arm == word).any():
            raise InputError(f"{path}: column '{spec.treatment}' never is '{word}'; it is {', '.join(arm.unique())}")
    outcome = pd.to_numeric(table[spec.outcome], errors="coerce").to_numpy(dtype=np.float64)
    if not np.isin(outcome, (0.0, 1.0)).all():
        row = int(np.flatnonzero(~np.isin(outcome, (0.0, 1.0)))[0])
        raise InputError(f"{path}: row {row + 1}: '{spec.outcome}' is '{table[spec.outcome].iloc[row]}', not 0 or 1")
    names, columns = [], []
    for name in spec.features:
        for called, values in _columns(name, table[name]):
            names.append(called)
            columns.append(values)
    if isinstance(spec.propensity, str):
        propensity = pd.to_numeric(table[spec.propensity], errors="coerce").to_numpy(dtype=np.float64)
    else:
        propensity = np.full(len(table), spec.propensity)
    return Trial(
        names=tuple(names),
        columns=np.column_stack(columns).astype(np.float32),
        treated=~arm.isin(spec.control).to_numpy(dtype=np.bool_),
        propensity=propensity,
        outcome=outcome > 0,
    )


def _columns(name: str, values: "pd.Series[Any]") -> list[tuple[str, Float64]]:
    if pd.api.types.is_numeric_dtype(values):
        return [(name, values.to_numpy(dtype=np.float64))]
    words = values.astype(str)
    common = words.value_counts().index[:_MOST_WORDS]
    return [(f"{name}={word}", (words == word).to_numpy(dtype=np.float64)) for word in common]


def _row(name: str, score: Float64, effect: Float64, meter: Meter) -> dict[str, Any]:
    area, top = qini(score, effect, seed=SEED), uplift_at(score, effect, seed=SEED)
    return {
        "model": name,
        "kind": str(Kind.PIPELINE if name == PIPELINE else Kind.BASELINE),
        "metrics": {"qini": area.mean, "uplift@30%": top.mean},
        "intervals": {"qini": [area.low, area.high], "uplift@30%": [top.low, top.high]},
        "seconds": round(meter.cost.seconds, 3),
        "peak_mb": round(meter.cost.peak_mb, 1),
    }


def _deciles(score: Float64, effect: Float64) -> list[dict[str, float]]:
    """Foretold against observed effect in ten groups by falling foretold effect."""
    groups = np.array_split(np.argsort(-effect, kind="stable"), 10)
    return [{"users": len(g), "foretold": float(effect[g].mean()), "observed": float(score[g].mean())} for g in groups]
