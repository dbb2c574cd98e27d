"""``mallard train value``: fit before the last window, judge on it, learn again from everything, register."""

import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.contracts.config import load_config
from features.contracts.home import Home
from features.contracts.progress import say
from features.engine import EventTables, build_tags
from training.bench.measure import Cost
from training.bench.value import METRIC, compare, judge_window
from training.bundle import read_bundle
from training.evaluation.paired import Paired
from training.jobs.judgement import Judgement, against_champion
from training.jobs.moments import end_of_data
from training.jobs.registering import Judged, opened, register
from training.jobs.report import TrainReport
from training.models.value import KIND, ValueModel
from training.models.value_config import ValueConfig
from training.pictures import Standing, leaderboard
from training.pipelines.value import PIPELINE, JudgedValue, evaluate_value, fit_value, refit_value
from training.tracking import Comparison, Tracker

Float64 = npt.NDArray[np.float64]


def train_value(home: Home) -> TrainReport:
    """Train, judge and register a value model on the lake of ``home``, judged on the shortest window.

    Raises :class:`MissingStateError` for an empty lake, :class:`NotEnoughDataError` when an honest fit is impossible.
    """
    started = time.monotonic()
    lake = opened(home)
    config = load_config(ValueConfig, home.configs / "value.yaml", optional=True)
    tables = EventTables.from_lake(lake)
    as_of = end_of_data(lake.last_event_at())
    days = config.horizons[0]
    cutoff = as_of - timedelta(days=days)
    tracker = Tracker(home)
    with tracker.run(KIND, config.model_dump(mode="json"), lake.fingerprint()) as run:
        say(f"fitting value as of {cutoff:%Y-%m-%d}, judging on the {days} days after")
        fitted = fit_value(tables, cutoff, config)
        judged = evaluate_value(tables, fitted, cutoff, (days,))
        result = judge_window(judged, 0, Cost())
        rows = [{"model": row["model"], "kind": row["kind"], **row["metrics"]} for row in result["rows"]]
        run.document("choices", fitted.choices)
        run.table("test", rows)
        run.table("deciles", result["deciles"])
        run.metrics({f"{r['model']}.{name}": r[name] for r in rows for name in r if name not in ("model", "kind")})
        paired = result["paired"]
        best = Comparison(METRIC, paired["against"], Paired(paired["mean"], paired["low"], paired["high"]))
        challenger = _judgement(judged, judged.scores[PIPELINE][:, 0], cutoff.isoformat(), lake.fingerprint())

        def ask_again(path: Path) -> Judgement:
            model = ValueModel.from_bundle(read_bundle(path))
            told = model.predict(build_tags(tables, cutoff, model.required_tags, users=sorted(judged.user_id)))
            window = next((i for i, h in enumerate(model.horizons) if h >= days), len(model.horizons) - 1)
            foretold = dict(zip(told.user_id, told.spend[:, window].tolist(), strict=True))
            values = np.array([foretold.get(user, 0.0) for user in judged.user_id])
            return _judgement(judged, values, cutoff.isoformat(), lake.fingerprint())

        with_champion, unfair = against_champion(tracker, KIND, challenger, ask_again)
        comparisons = [best, *([with_champion] if with_champion else [])]
        standings = [_standing(judged, str(row["model"]), str(row["kind"]), float(row[METRIC])) for row in rows]
        run.picture("leaderboard", leaderboard(standings, METRIC, note=str(best)))
        say(f"fitting value on everything before {as_of:%Y-%m-%d}")
        final = refit_value(tables, fitted, as_of)
        found = Judged(cutoff, METRIC, rows, comparisons, unfair)
        write, examples = final.model.to_bundle, final.examples
        report = register(tracker, run, KIND, write, examples, found, as_of=as_of, started=started)
        challenger.keep(run)
    return report


def _judgement(judged: JudgedValue, values: Float64, cutoff: str, fingerprint: str) -> Judgement:
    order = np.argsort(np.array(judged.user_id, dtype=np.str_), kind="stable")
    return Judgement(
        cutoff=cutoff,
        fingerprint=fingerprint,
        metric=METRIC,
        users=np.array(judged.user_id, dtype=np.str_)[order],
        value=values[order],
        outcome=judged.actual[order, 0],
    )


def _standing(judged: JudgedValue, name: str, kind: str, value: float) -> Standing:
    """A place in the leaderboard; the interval is that of the difference from the model's own."""
    gap = compare(judged.actual[:, 0], judged.scores[name][:, 0], judged.scores[PIPELINE][:, 0])
    return Standing(name, kind, value, value - gap.mean + gap.low, value - gap.mean + gap.high)
