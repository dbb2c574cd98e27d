"""Churn over several horizons at once."""

from datetime import timedelta

import numpy as np
import pytest

from features.engine import EventTables
from tests.training.pipelines.cdnow import CUTOFF, config, events
from training.evaluation.probability import auc
from training.models.churn_heads import Horizon
from training.pipelines.churn import FittedChurn, fit_churn
from training.pipelines.snapshots import churned, describe

SETTINGS = config(horizons=(timedelta(days=14), timedelta(days=90), timedelta(days=365)))


@pytest.fixture(scope="module")
def fitted() -> FittedChurn:
    return fit_churn(EventTables.from_arrow(events()), CUTOFF, SETTINGS)


def test_every_horizon_has_a_probability_that_falls_as_it_grows(fitted: FittedChurn) -> None:
    scores = fitted.model.predict(fitted.examples, reasons=False)
    assert [each.days for each in scores.horizons] == [14, 60, 90]
    own = scores.horizons[1]
    assert own.probability.tolist() == scores.probability.tolist()
    for short, long in zip(scores.horizons, scores.horizons[1:], strict=False):
        assert (short.probability >= long.probability).all()
        assert short.probability.mean() > long.probability.mean()
    for each in scores.horizons:
        assert ((each.low <= each.probability) & (each.probability <= each.high)).all()


def test_a_horizon_for_which_the_history_is_too_short_is_left_out_by_name(fitted: FittedChurn) -> None:
    told = {account["days"]: account for account in fitted.choices["horizons"]}
    assert told[365]["snapshots"] == 0
    assert "left_out" in told[365]
    assert "left_out" not in told[14]
    # A window of 90 days closes before the cut-off for older snapshots only.
    assert 0 < told[90]["snapshots"] < told[14]["snapshots"]


def test_probabilities_of_another_horizon_come_true(fitted: FittedChurn) -> None:
    tables = EventTables.from_arrow(events())
    users = describe(tables, CUTOFF, fitted.model.required_tags, SETTINGS)
    said = {each.days: each for each in fitted.model.predict(users.tags, reasons=False).horizons}
    for days in (14, 90):
        label = SETTINGS.label.model_copy(update={"horizon": timedelta(days=days)})
        left = churned(tables, users.known, label, known_by=CUTOFF + timedelta(days=180))
        assert said[days].probability.mean() == pytest.approx(left.mean(), abs=0.06)
        assert auc(left, said[days].probability) > 0.7


def test_nothing_after_the_cutoff_reaches_a_head(fitted: FittedChurn) -> None:
    log = events()
    before = log.filter(np.array(log["occurred_at"].to_pylist()) < CUTOFF)
    blind = fit_churn(EventTables.from_arrow(before), CUTOFF, SETTINGS)
    for one, other in zip(fitted.model.heads, blind.model.heads, strict=True):
        assert one.linear.to_array().tolist() == other.linear.to_array().tolist()


def test_a_head_gives_way_to_the_horizon_nearer_to_the_models_own() -> None:
    def of(days: float, *values: float) -> Horizon:
        return Horizon(days, *(np.array(values) for _ in range(3)))

    own = of(60, 0.5, 0.5)
    assert of(30, 0.4, 0.7).bounded(own).probability.tolist() == [0.5, 0.7]
    assert of(90, 0.4, 0.7).bounded(own).probability.tolist() == [0.4, 0.5]
