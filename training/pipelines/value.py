"""Fit the value model as of a cut-off: past moments, choices inside the past, the final fit; and judge it later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts.errors import NotEnoughDataError
from features.contracts.events import EventType
from features.contracts.progress import step, track
from features.engine import EventTables
from features.tags import spec_hash
from training.models.bgnbd import BgNbd
from training.models.value import Opinion, ValueModel, Window
from training.models.value_config import ValueConfig
from training.models.value_features import required_tags
from training.pipelines.btyd_summary import known_users
from training.pipelines.churn_data import candidate_tags, steady_tags, telling_tags
from training.pipelines.outcomes import outcome
from training.pipelines.snapshots import describe, history_days
from training.pipelines.value_choices import Parts, Shape, choose, choose_curve, fit_amount, fit_buying, level
from training.pipelines.value_data import Past, money_of, past_of, population, stack

Float64 = npt.NDArray[np.float64]

PIPELINE = "value"
BTYD, MEAN, LAST = "bgnbd_gamma_gamma", "mean_spend", "last_window"
BASELINES = (BTYD, MEAN, LAST)
_EXAMPLE_USERS = 2_000
#: A mean per day of users who came yesterday would be the spend of one day.
_LEAST_AGE_DAYS = 30.0


@dataclass(frozen=True)
class FittedValue:
    """A model with everything that judged it on the way."""

    model: ValueModel
    shapes: Sequence[Shape]
    choices: dict[str, Any]
    examples: pa.Table
    config: ValueConfig
    past: Sequence[Past]


def fit_value(tables: EventTables, cutoff: datetime, config: ValueConfig) -> FittedValue:
    """The model as of ``cutoff``. No event at or after it, nor one that arrived after it, has any influence.

    Raises :class:`NotEnoughDataError` that says what is missing.
    """
    candidates = candidate_tags(config.tags)
    now = describe(tables, cutoff, required_tags(candidates), population(config), most=_EXAMPLE_USERS)
    if not len(now):
        raise NotEnoughDataError(f"nobody is in the population at {cutoff.isoformat()}; value cannot be learnt")
    candidates = telling_tags([now.tags], candidates)
    past = past_of(tables, cutoff, required_tags(candidates), config)
    history = history_days(tables, EventType.PURCHASE, past[-1].as_of)
    tags = telling_tags([each.described.tags for each in past], steady_tags(candidates, history))
    parts = Parts(past, [each.columns(tags) for each in past])
    asked = track(list(config.knots), "choosing the value model", unit="windows")
    shapes = [shape for days in asked if (shape := choose(parts, days, config)) is not None]
    curve = choose_curve(shapes)
    model = _fit(tables, cutoff, parts, tags, shapes, curve, config)
    choices = {
        "snapshots": [each.as_of.isoformat() for each in past],
        "tags": list(tags),
        "curve": str(curve),
        "windows": {
            str(s.days): {
                "opinion": str(s.opinion) if s.days in config.horizons else "",
                "buying_rounds": s.buying_rounds,
                "amount_rounds": s.amount_rounds,
                "losses": s.losses,
            }
            for s in shapes
        },
        "rhythm": dict(zip(("r", "alpha", "a", "b"), model.rhythm.to_array().tolist(), strict=True)),
        "money": dict(zip(("p", "q", "gamma"), model.money.to_array().tolist(), strict=True)),
    }
    return FittedValue(model, shapes, choices, now.tags, config, past)


def refit_value(tables: EventTables, fitted: FittedValue, cutoff: datetime) -> FittedValue:
    """The same choices, learnt again from everything before a later ``cutoff``.

    A window that only closes by the later cut-off had no judge and stays untaught.
    """
    model, config = fitted.model, fitted.config
    past = past_of(tables, cutoff, model.required_tags, config, fitted.past)
    parts = Parts(past, [each.columns(model.tags) for each in past])
    now = describe(tables, cutoff, model.required_tags, population(config), most=_EXAMPLE_USERS)
    again = _fit(tables, cutoff, parts, model.tags, fitted.shapes, model.curve, config)
    return replace(fitted, model=again, examples=now.tags, past=past)


def _fit(
    tables: EventTables,
    cutoff: datetime,
    parts: Parts,
    tags: tuple[str, ...],
    shapes: Sequence[Shape],
    curve: Opinion,
    config: ValueConfig,
) -> ValueModel:
    buying, windows = {}, []
    with step("fitting the value model"):
        for shape in shapes:
            places = [place for place, past in enumerate(parts.past) if shape.days in past.closed]
            data = stack(parts.of(places), shape.days, config.snapshots.rows)
            names = parts.columns[0].names
            buying[shape.days] = fit_buying(data, names, shape.buying_rounds, config, shape.days)
            if shape.days in config.horizons:
                amount = None
                if shape.opinion is not Opinion.RHYTHM:
                    amount = fit_amount(data, names, shape.amount_rounds, config, shape.days)
                windows.append(Window(shape.days, shape.opinion, level(data), amount))
        everybody = known_users(tables, EventType.PURCHASE, cutoff).summary
    return ValueModel(
        horizons=config.horizons,
        population=config.population,
        tags=tags,
        tag_spec=spec_hash(required_tags(tags)),
        rhythm=BgNbd.fit(everybody.history),
        money=money_of(everybody),
        buying=buying,
        windows=tuple(windows),
        curve=curve,
    )


@dataclass(frozen=True)
class JudgedValue:
    """What the model and its baselines said at a cut-off, and what came."""

    user_id: list[str]
    horizons: tuple[int, ...]
    actual: Float64  # (n, horizons)
    scores: dict[str, Float64]  # model -> (n, horizons)
    next_purchase: Float64  # (n,) days, NaN when not within the longest horizon
    foretold_next: Float64  # (n,) days, NaN where no date was named
    no_purchase: Float64  # (n, horizons)


def evaluate_value(tables: EventTables, fitted: FittedValue, cutoff: datetime, horizons: Sequence[int]) -> JudgedValue:
    """Every eligible user at ``cutoff``. What they did afterwards is used for nothing but ``actual``."""
    model, days = fitted.model, tuple(horizons)
    asked = describe(tables, cutoff, model.required_tags, population(fitted.config))
    users, summary = asked.known.user_id, asked.known.summary
    came = outcome(tables, users, cutoff, days, cutoff + timedelta(days=max(days)))
    told = replace(model, horizons=days).predict(asked.tags)
    per_day = summary.spend / np.maximum(summary.history.age, _LEAST_AGE_DAYS)
    money = money_of(summary)
    worth = money.expected(summary.history.frequency + 1.0, summary.spend / (summary.history.frequency + 1.0))
    rhythm = [asked.event_rhythm.bg_nbd.expected_purchases(summary.history, h) * worth for h in days]
    last = [outcome(tables, users, cutoff - timedelta(days=h), (h,), cutoff).spend[:, 0] for h in days]
    scores = {
        PIPELINE: told.spend,
        BTYD: np.column_stack(rhythm),
        MEAN: np.outer(per_day, np.array(days, dtype=np.float64)),
        LAST: np.column_stack(last),
    }
    return JudgedValue(
        user_id=users.to_pylist(),
        horizons=days,
        actual=came.spend,
        scores=scores,
        next_purchase=came.next_purchase,
        foretold_next=told.curves.next_purchase(),
        no_purchase=told.curves.no_purchase(days),
    )
