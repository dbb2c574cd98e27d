"""``mallard train churn``: fit before the last horizon, judge on it, learn again from everything, register."""

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from features.contracts import columns as c
from features.contracts.config import load_config
from features.contracts.errors import NotEnoughDataError
from features.contracts.home import Home
from features.contracts.progress import say
from features.engine import EventTables, build_tags
from features.lake import Lake
from training.bench.churn_account import account_of, standings
from training.bench.provenance import code_version
from training.bundle import read_bundle
from training.evaluation.paired import Paired, paired_bootstrap_statistic, weighted_auc
from training.evaluation.probability import auc, probability_metrics
from training.jobs.judgement import Judgement, against_champion
from training.jobs.moments import end_of_data
from training.jobs.registering import Judged, opened, register
from training.jobs.report import Row, TrainReport
from training.models.churn import KIND, ChurnModel
from training.models.churn_baselines import NAMES
from training.models.churn_config import ChurnConfig
from training.models.churn_features import tag_values
from training.models.tiers import Stakes, profit_curve
from training.monitoring import REFERENCE, Reference
from training.pictures import Slice, Standing, calibration, gain_and_lift, importance, leaderboard, profit, slices
from training.pipelines.churn import LABEL, FittedChurn, evaluate_churn, fit_churn, refit_churn
from training.pipelines.churn_judge import PIPELINE
from training.report import render_churn
from training.tracking import Comparison, TrackedRun, Tracker

_METRIC = "auc"
_NEW_USER_DAYS = 28

Float64 = npt.NDArray[np.float64]


def train_churn(home: Home) -> TrainReport:
    """Train, judge and register a churn model on the lake of ``home``.

    Raises :class:`MissingStateError` for an empty lake, :class:`NotEnoughDataError` when an honest fit is impossible.
    """
    started = time.monotonic()
    lake = opened(home)
    config = load_config(ChurnConfig, home.configs / "churn.yaml", optional=True)
    tables = EventTables.from_lake(lake)
    as_of = end_of_data(lake.last_event_at())
    cutoff = as_of - config.label.closes
    tracker = Tracker(home)
    with tracker.run(KIND, config.model_dump(mode="json"), lake.fingerprint()) as run:
        say(f"fitting churn as of {cutoff:%Y-%m-%d}, judging on the {config.label.horizon_days:g} days after")
        try:
            judged = fit_churn(tables, cutoff, config)
        except NotEnoughDataError as refused:
            say(f"nothing can be judged yet: {refused}")
            return _unjudged(tracker, run, fit_churn(tables, as_of, config), cutoff, as_of, started)
        frame = evaluate_churn(tables, judged, cutoff)
        if frame[LABEL].nunique() < 2:
            same = "nobody was asked about" if frame.empty else "all did the same"
            say(f"nothing can be judged: of {len(frame):,} users of {cutoff:%Y-%m-%d} {same}")
            return _unjudged(tracker, run, fit_churn(tables, as_of, config), cutoff, as_of, started)
        rows = _rows(frame)
        run.document("choices", judged.choices)
        run.table("validation", judged.validation)
        run.table("test", rows)
        run.metrics(
            {f"{row['model']}.{name}": row[name] for row in rows for name in row if name not in ("model", "kind")}
        )

        names = [str(row["model"]) for row in rows[1:]]
        best = max(names, key=lambda name: auc(frame[LABEL].to_numpy(), frame[name].to_numpy()))
        challenger = _judgement(frame, PIPELINE, cutoff, lake)
        comparisons = [Comparison(_METRIC, best, challenger.minus(_judgement(frame, best, cutoff, lake)))]

        def ask_again(path: Path) -> Judgement:
            model = ChurnModel.from_bundle(read_bundle(path))
            tags = build_tags(tables, cutoff, model.required_tags, users=frame[c.USER_ID].tolist())
            scores = frame[[c.USER_ID, LABEL]].sort_values(c.USER_ID).assign(champion=model.probability(tags))
            return _judgement(scores, "champion", cutoff, lake)

        with_champion, unfair = against_champion(tracker, KIND, challenger, ask_again)
        comparisons += [with_champion] if with_champion else []
        told = {
            "cutoff": cutoff.isoformat(),
            "horizon_days": config.label.horizon_days,
            "event": str(config.label.event),
            "eligible": len(frame),
            "base_rate": float(frame[LABEL].mean()),
            "rows": [{"model": r["model"], "kind": r["kind"], "metrics": r} for r in rows],
            "paired": {"metric": _METRIC, "against": best, **vars(comparisons[0].paired)},
            "standings": standings([{**row, "column": row["model"]} for row in rows], frame, best),
            **account_of(tables, judged, frame, cutoff),
            "choices": judged.choices,
        }
        result = {
            "name": f"churn {cutoff:%Y-%m-%d}",
            "commit": code_version(),
            "run_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cutoffs": [told],
        }
        run.document("result", result)
        run.page("report", render_churn(result))
        run.metrics({f"reasons.{k}": v for k, v in told["stability"].items() if k != "users" and v is not None})
        _draw(run, tables, judged, frame, best, comparisons[0].paired, cutoff)

        say(f"fitting churn on everything before {as_of:%Y-%m-%d}")
        final = refit_churn(tables, judged, as_of)
        challenger.keep(run)
        return _registered(tracker, run, final, Judged(cutoff, _METRIC, rows, comparisons, unfair), as_of, started)


def _unjudged(
    tracker: Tracker, run: TrackedRun, final: FittedChurn, cutoff: datetime, as_of: datetime, started: float
) -> TrainReport:
    """What the whole history gives where too little of it lies before a window to judge by: a fallback, at the most."""
    run.document("choices", final.choices)
    return _registered(tracker, run, final, Judged(cutoff, _METRIC, (), ()), as_of, started)


def _registered(
    tracker: Tracker, run: TrackedRun, final: FittedChurn, judged: Judged, as_of: datetime, started: float
) -> TrainReport:
    """Register the model that goes out; a fallback is marked, so that nobody takes it for one."""
    mark = final.model.fallback
    reference = reference_of(final, float(judged.rows[0][_METRIC]) if judged.rows else None)
    return register(
        tracker,
        run,
        KIND,
        partial(final.model.to_bundle, beside={REFERENCE: reference.to_json()}),
        final.examples,
        judged,
        as_of=as_of,
        started=started,
        stands_in=f"it is a fallback, a simple rule that may serve meanwhile: {mark.reason.en}" if mark else "",
    )


def reference_of(fitted: FittedChurn, trained_auc: float | None) -> Reference:
    """What watching compares with: inputs and scores of the users at the model's as-of who belong to its population."""
    model = fitted.model
    users = fitted.examples.filter(pa.array(model.asked(fitted.examples)))
    values = tag_values(users, model.tags)
    return Reference.take(
        {name: values[:, place] for place, name in enumerate(model.tags)},
        model.probability(users),
        fitted.importance,
        trained_auc,
    )


def _rows(frame: pd.DataFrame) -> list[Row]:
    label = frame[LABEL].to_numpy()
    models = [name for name in frame.columns if name in (PIPELINE, *NAMES)]
    return [
        {
            "model": model,
            "kind": "pipeline" if model == PIPELINE else "baseline",
            **probability_metrics(label, frame[model].to_numpy()),
        }
        for model in models
    ]


def _judgement(frame: pd.DataFrame, model: str, cutoff: datetime, lake: Lake) -> Judgement:
    ordered = frame.sort_values(c.USER_ID)
    return Judgement(
        cutoff=cutoff.isoformat(),
        fingerprint=lake.fingerprint(),
        metric=_METRIC,
        users=ordered[c.USER_ID].to_numpy(dtype=np.str_),
        value=ordered[model].to_numpy(dtype=np.float64),
        outcome=ordered[LABEL].to_numpy(dtype=np.bool_),
    )


def _draw(
    run: TrackedRun,
    tables: EventTables,
    judged: FittedChurn,
    frame: pd.DataFrame,
    best: str,
    paired: Paired,
    cutoff: datetime,
) -> None:
    label, ours = frame[LABEL].to_numpy(dtype=np.bool_), frame[PIPELINE].to_numpy()
    run.picture("calibration", calibration(ours, label))
    if label.any() and not label.all():
        run.picture("gain_and_lift", gain_and_lift({PIPELINE: ours, best: frame[best].to_numpy()}, label))
    weights = np.array(list(judged.importance.values()))
    run.picture(
        "importance", importance(list(judged.importance), weights, measure="mean |contribution| to the log-odds")
    )
    run.picture("profit", _profit(judged, ours))
    standings = [_standing(row, label, frame, best) for row in _rows(frame)]
    note = f"{PIPELINE} minus {best}: {paired.mean:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}]"
    run.picture("leaderboard", leaderboard(standings, "AUC", note=note))
    groups = []
    tenure = build_tags(tables, cutoff, ["tenure_days"]).to_pandas().set_index(c.USER_ID)["tenure_days"]
    new = frame[c.USER_ID].map(tenure).to_numpy() < _NEW_USER_DAYS
    for name, members in (("new users", new), ("old users", ~new)):
        if label[members].any() and not label[members].all():
            values = (auc(label[members], frame[model].to_numpy()[members]) for model in (PIPELINE, best))
            groups.append(Slice(name, int(members.sum()), *values))
    if groups:
        run.picture("slices", slices(groups, "AUC", other=best))


def _profit(judged: FittedChurn, probability: Float64) -> Figure:
    """The expected-profit curve of these users, each taken to be worth what the judged users are at the mean."""
    model, policy = judged.model, judged.config.tiers
    mean = float(model.predict(judged.examples, reasons=False).spend_if_kept.mean())
    stakes = Stakes.of(policy, np.full(len(probability), mean))
    curves = {
        f"success rate {rate:.0%}": profit_curve(probability, stakes.profit(probability, rate))
        for rate in (stakes.mean_rate, stakes.low_rate)
    }
    bounds = {"red": model.tiers.red, "yellow": model.tiers.yellow}
    return profit(curves, {tier: float((probability >= bound).mean()) for tier, bound in bounds.items()})


def _standing(row: Row, label: npt.NDArray[np.bool_], frame: pd.DataFrame, best: str) -> Standing:
    """A place in the leaderboard; the interval is that of the difference from the best baseline."""
    value = float(row[_METRIC])
    gap = paired_bootstrap_statistic(weighted_auc, label, frame[row["model"]].to_numpy(), frame[best].to_numpy())
    return Standing(row["model"], row["kind"], value, value - gap.mean + gap.low, value - gap.mean + gap.high)
