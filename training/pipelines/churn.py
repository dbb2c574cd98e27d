"""Fit churn as of a cut-off: snapshots, choices on validation folds inside the past, the final fit, its baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.errors import ModelRefusedError
from features.contracts.progress import say, step
from features.engine import EventTables, build_tags
from features.tags import spec_hash
from training.models.calibration import Calibrator
from training.models.churn import ChurnModel, required_tags
from training.models.churn_baselines import ChurnBaseline
from training.models.churn_config import ChurnConfig, TierThresholds
from training.models.churn_fallback import Rule
from training.models.reasons import Both
from training.models.tiers import tier_bounds
from training.pipelines.base_rate import Evidence, Outlook, Past
from training.pipelines.churn_choices import (
    Newest,
    Shape,
    calibrate_between,
    choose_shape,
    fit_members,
    level,
    rehearse,
    uncertainty,
)
from training.pipelines.churn_data import candidate_tags, rows_of, steady_tags, telling_tags, titles_of
from training.pipelines.churn_fallback import fit_fallback
from training.pipelines.churn_folds import rehearsal_folds, validation_folds
from training.pipelines.churn_heads import fit_heads
from training.pipelines.churn_judge import PIPELINE, fit_baselines, judge_folds
from training.pipelines.snapshots import (
    Snapshot,
    closed_snapshots,
    describe,
    first_event,
    history_days,
    past_snapshots,
    take_snapshot,
)

LABEL, LOW, HIGH = "label", "low", "high"

#: Users at the cut-off whose contributions are averaged to the importance of tags, and examples for golden rows.
_EXAMPLE_USERS = 2_000


@dataclass(frozen=True)
class FittedChurn:
    """A model with everything that judged it on the way."""

    model: ChurnModel
    baselines: dict[str, ChurnBaseline]
    choices: dict[str, Any]
    validation: list[dict[str, Any]]  # one row per fold and model: as_of, users, base_rate, metrics
    importance: dict[str, float]  # tag -> mean |contribution| in log-odds, largest first
    examples: pa.Table  # tag rows that golden rows are taken from
    config: ChurnConfig
    shape: Shape | None  # None: a fallback, which has no trees
    newest: Newest | None
    calibrator: Calibrator  # as learnt on held predictions, at the level of the raw ones
    history: float  # days of log before the oldest snapshot
    snapshots: Sequence[Snapshot]  # newest first


def fit_churn(tables: EventTables, cutoff: datetime, config: ChurnConfig) -> FittedChurn:
    """The model as of ``cutoff``. No event at or after it, nor one that arrived after it, has any influence.

    Where the rules of least data refuse, it is a fallback, marked with what is missing. Raises
    :class:`ModelRefusedError` when no label window has closed by then, so that even that cannot be.
    """
    try:
        return _fit(tables, cutoff, config)
    except ModelRefusedError as refused:
        return _fit_fallback(tables, cutoff, config, refused)


def _fit_fallback(
    tables: EventTables, cutoff: datetime, config: ChurnConfig, refused: ModelRefusedError, rule: Rule | None = None
) -> FittedChurn:
    snapshots = closed_snapshots(tables, cutoff, required_tags((), config.label.event), config)
    if not snapshots:
        raise refused
    now = describe(tables, cutoff, required_tags((), config.label.event), config, most=_EXAMPLE_USERS)
    found = fit_fallback(snapshots, now, config, Both(str(refused), refused.chinese), rule)
    history = history_days(tables, config.label.event, snapshots[-1].as_of)
    heads, told = fit_heads(tables, cutoff, snapshots, history, config, Past(snapshots, history))
    model = _with_tiers(replace(found.model, heads=heads), now.tags, config)
    say(f"no churn model can be fitted: {refused}; meanwhile a fallback serves: {found.choices['fallback_rule']}")
    return FittedChurn(
        model=model,
        baselines=fit_baselines(snapshots, config),
        choices=found.choices | {"tiers": model.tiers.model_dump(mode="json"), "horizons": told},
        validation=[],
        importance=_importance(model, now.tags),
        examples=now.tags,
        config=config,
        shape=None,
        newest=None,
        calibrator=model.calibrator,
        history=history,
        snapshots=snapshots,
    )


def _fit(tables: EventTables, cutoff: datetime, config: ChurnConfig) -> FittedChurn:
    first_event(tables, cutoff, config)  # says what is missing before anything takes time
    candidates = candidate_tags(config.tags)
    candidates = telling_tags([build_tags(tables, cutoff, candidates)], candidates)
    snapshots = past_snapshots(tables, cutoff, required_tags(candidates, config.label.event), config)
    history = history_days(tables, config.label.event, snapshots[-1].as_of)
    tags = telling_tags([snapshot.tags for snapshot in snapshots], steady_tags(candidates, history))
    rows = [rows_of(snapshot, tags, config.label.horizon_days, history) for snapshot in snapshots]
    folds = validation_folds(snapshots, rows, config.label.closes)
    shape, loss, held = choose_shape(folds, config)
    rehearsal = rehearsal_folds(snapshots, rows, config.label.closes)
    calibration = rehearse(*rehearsal, shape, config) if rehearsal else calibrate_between(held)
    with step("fitting the churn model"):
        final = fit_members(rows if calibration.newest is Newest.IN_THE_FIT else folds[0].fit, shape, config)
    now = describe(tables, cutoff, required_tags(tags, config.label.event), config, most=_EXAMPLE_USERS)
    calibrator = calibration.calibrator(held)
    raw_level = calibrator.moved(-level(calibrator, held[0]))
    past = Past.of(tables, cutoff, snapshots, config)
    outlook = past.outlook(cutoff, config.label)
    heads, told = fit_heads(tables, cutoff, snapshots, history, config, past)
    model = ChurnModel(
        label=config.label,
        population=config.population,
        tiers=TierThresholds(),
        tags=tags,
        titles=titles_of(required_tags(tags, config.label.event)),
        tag_spec=spec_hash(required_tags(tags, config.label.event)),
        rhythm=now.rhythm,
        linear=final.linear,
        members=final.members,
        calibrator=_at_level(outlook, calibration.newest, raw_level, calibrator),
        uncertainty=uncertainty(held, calibration.kind, outlook.error),
        heads=heads,
    )
    model = _with_tiers(model, now.tags, config)
    choices = {
        "fallback": False,
        "snapshots": [snapshot.as_of.isoformat() for snapshot in snapshots],
        "rows": sum(len(snapshot) for snapshot in snapshots),
        "tags": list(tags),
        "validation": [
            {"judged": snapshots[f.judged].as_of.isoformat(), "separation": str(f.separation)} for f in folds
        ],
        "start": str(shape.start),
        "leaves": shape.leaves,
        "rounds": shape.rounds,
        "members": len(final.members),
        "validation_log_loss": loss,
        "calibrator": str(calibration.kind),
        "newest_snapshots": str(calibration.newest),
        "calibration_log_loss": calibration.losses,
        "calibration_rehearsed": rehearsal is not None,
        "outlook": outlook.document(),
        "tiers": model.tiers.model_dump(mode="json"),
        "rhythm": model.rhythm.document(),
        "horizons": told,
    }
    return FittedChurn(
        model=model,
        baselines=fit_baselines(snapshots, config),
        choices=choices,
        validation=judge_folds(snapshots, folds, held, calibration.kind, config),
        importance=_importance(model, now.tags),
        examples=now.tags,
        config=config,
        shape=shape,
        newest=calibration.newest,
        calibrator=raw_level,
        history=history,
        snapshots=snapshots,
    )


def refit_churn(tables: EventTables, fitted: FittedChurn, cutoff: datetime) -> FittedChurn:
    """The same choices and calibration, learnt again from everything before a later ``cutoff``.

    For the model that goes out after its choices were judged: it differs from the judged one by its data alone, and by
    what they say of the coming base rate.
    """
    config, model = fitted.config, fitted.model
    if model.fallback is not None:
        return _fit_fallback(tables, cutoff, config, ModelRefusedError(*model.fallback.reason), model.fallback.rule)
    assert fitted.shape is not None  # of every model that is no fallback
    snapshots = past_snapshots(tables, cutoff, model.required_tags, config, fitted.snapshots)
    rows = [rows_of(snapshot, model.tags, config.label.horizon_days, fitted.history) for snapshot in snapshots]
    if fitted.newest is Newest.CALIBRATION_ONLY:
        rows = list(validation_folds(snapshots, rows, config.label.closes)[0].fit)
    with step("fitting the churn model"):
        final = fit_members(rows, fitted.shape, config)
    now = describe(tables, cutoff, model.required_tags, config, most=_EXAMPLE_USERS)
    past = Past.of(tables, cutoff, snapshots, config)
    outlook = past.outlook(cutoff, config.label)
    heads, told = fit_heads(tables, cutoff, snapshots, fitted.history, config, past)
    calibrator = _at_level(outlook, fitted.newest, fitted.calibrator, model.calibrator)
    model = replace(
        model, rhythm=now.rhythm, linear=final.linear, members=final.members, calibrator=calibrator, heads=heads
    )
    model = _with_tiers(model, now.tags, config)
    return replace(
        fitted,
        model=model,
        choices=fitted.choices | {"horizons": told, "outlook": outlook.document()},
        importance=_importance(model, now.tags),
        examples=now.tags,
        snapshots=snapshots,
    )


def evaluate_churn(tables: EventTables, fitted: FittedChurn, cutoff: datetime) -> pd.DataFrame:
    """``user_id``, ``label``, a probability per model and the interval of ours for every eligible user at ``cutoff``.

    The labels need the events of the horizon after ``cutoff``; they are used for nothing else.
    """
    model, config = fitted.model, fitted.config
    label_end = cutoff + config.label.closes
    asked = take_snapshot(tables, cutoff, model.required_tags, config, known_by=label_end)
    frame = pd.DataFrame({c.USER_ID: asked.known.user_id.to_pylist(), LABEL: asked.label})
    scores = model.predict(asked.tags, reasons=False)
    frame[PIPELINE], frame[LOW], frame[HIGH] = scores.probability, scores.low, scores.high
    for name, baseline in fitted.baselines.items():
        frame[name] = baseline.probability(asked.known.summary, asked.event_rhythm)
    return frame


def _at_level(outlook: Outlook, newest: Newest | None, raw_level: Calibrator, learnt: Calibrator) -> Calibrator:
    """The calibrator at the level that is foretold; as it was ``learnt`` where nothing foretells one.

    A model that never saw the newest snapshots was calibrated on these, and misses what they taught already.
    """
    if outlook.evidence is Evidence.NONE or newest is Newest.CALIBRATION_ONLY:
        return learnt
    return raw_level.moved(outlook.shift)


def _with_tiers(model: ChurnModel, tags: pa.Table, config: ChurnConfig) -> ChurnModel:
    """The model with the tiers that costs and capacity give for the users of ``tags``."""
    scores = model.predict(tags)
    bounds = tier_bounds(config.tiers, scores.probability, scores.spend_if_kept)
    say(f"tiers: yellow from a churn probability of {bounds.yellow:.3f}, red from {bounds.red:.3f}")
    return replace(model, tiers=bounds)


def _importance(model: ChurnModel, tags: pa.Table) -> dict[str, float]:
    means = np.abs(model.contributions(tags)).mean(axis=0)
    order = np.argsort(-means, kind="stable")
    return {model.reason_columns[i]: float(means[i]) for i in order if means[i] > 0}
