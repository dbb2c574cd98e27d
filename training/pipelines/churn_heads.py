"""Heads of further horizons: fitted on the snapshots that taught the model, and judged, where windows have closed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from features.engine import EventTables
from training.evaluation.probability import probability_metrics
from training.models.churn import ChurnModel
from training.models.churn_config import ChurnConfig, ChurnLabel
from training.models.churn_heads import Head
from training.models.logistic import Logistic
from training.models.uncertainty import Uncertainty
from training.pipelines.base_rate import Past
from training.pipelines.btyd_summary import event_span
from training.pipelines.churn_data import rows_of, stack
from training.pipelines.churn_fallback import drift_of
from training.pipelines.snapshots import Snapshot, churned, describe


def fit_heads(
    tables: EventTables,
    cutoff: datetime,
    snapshots: Sequence[Snapshot],
    history: float,
    config: ChurnConfig,
    past: Past,
) -> tuple[tuple[Head, ...], list[dict[str, Any]]]:
    """A head for each further horizon, and what is to be said of each; one that cannot be fitted is left out by name.

    Only snapshots whose window over that horizon closes by ``cutoff`` teach it; ``history``: see :func:`rows_of`.
    ``past`` tells what the coming window adds to the base rate.
    """
    heads, told = [], []
    for horizon in config.horizons:
        label, days = config.label.model_copy(update={"horizon": horizon}), horizon / timedelta(days=1)
        if horizon == config.label.horizon:
            continue
        closed = _relabelled(tables, cutoff, past.snapshots, label)
        parts = [rows_of(closed[s.as_of], (), days, history) for s in snapshots if s.as_of in closed]
        left = sum(int(part.label.sum()) for part in parts)
        stayed = sum(len(part) for part in parts) - left
        account: dict[str, Any] = {"days": days, "snapshots": len(parts), "churned": left, "stayed": stayed}
        least = config.snapshots.least_of_each_class
        if min(left, stayed) < least:
            told.append(account | {"left_out": f"{least} who churned and {least} who stayed are needed"})
            continue
        rows = stack(parts, config.snapshots.rows)
        linear = Logistic.fit(rows.columns.linear, rows.label)
        raw = linear.log_odds(rows.columns.linear)
        outlook = replace(past, snapshots=list(closed.values())).outlook(cutoff, label)
        drift = drift_of(parts, linear) if outlook.error is None else outlook.error
        linear = linear.moved(outlook.shift)
        heads.append(Head(days, linear, Uncertainty.fit(raw + outlook.shift, rows.label, drift)))
        told.append(account | {"outlook": outlook.document()})
    return tuple(heads), told


def _relabelled(
    tables: EventTables, cutoff: datetime, snapshots: Sequence[Snapshot], label: ChurnLabel
) -> dict[datetime, Snapshot]:
    """By moment, those whose window of ``label`` has closed by ``cutoff``, with that label."""
    return {
        snapshot.as_of: replace(snapshot, label=churned(tables, snapshot.known, label, known_by=cutoff))
        for snapshot in snapshots
        if snapshot.as_of + label.closes <= cutoff
    }


def judge_horizons(
    tables: EventTables, model: ChurnModel, config: ChurnConfig, cutoff: datetime
) -> list[dict[str, Any]]:
    """How every horizon of ``model`` did on the users of ``cutoff``, the shortest first.

    Left out are horizons whose window has not closed in ``tables``, which hold what came after, and those over which
    all did the same.
    """
    asked = describe(tables, cutoff, model.required_tags, config)
    told = []
    for said in model.predict(asked.tags, reasons=False).horizons:
        label = config.label.model_copy(update={"horizon": timedelta(days=said.days)})
        closed = cutoff + label.closes
        span = event_span(tables, label.event, closed + timedelta(days=1))
        left = churned(tables, asked.known, label, known_by=closed)
        if span is None or span[1] < closed - timedelta(days=1) or left.all() or not left.any():
            continue
        told.append(
            {
                "days": said.days,
                "users": len(left),
                "left": float(left.mean()),
                "foretold": float(said.probability.mean()),
                "metrics": probability_metrics(left, said.probability),
            }
        )
    return told
