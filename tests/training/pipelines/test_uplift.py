"""Learning effects: what is refused, and what is found where it is known."""

from dataclasses import replace

import numpy as np
import pytest

from features.contracts.errors import NotEnoughDataError
from training.models.uplift_config import UpliftConfig
from training.models.uplift_learners import LearnerKind, Trial
from training.pipelines.uplift import check_trial, fit_uplift

CONFIG = UpliftConfig.model_validate({"folds": 3, "boosting": {"leaves": (3,), "rounds": (40,), "threads": 1}})


def trial(n: int = 12_000, seed: int = 4, *, apart: bool = True) -> Trial:
    """Users whose effect is 0.3 where the first column is positive, else -0.1; the others are noise."""
    random = np.random.default_rng(seed)
    columns = random.normal(size=(n, 3)).astype(np.float32)
    columns[random.random(n) < 0.1, 2] = np.nan
    propensity = random.choice([0.3, 0.6], n)
    treated = random.random(n) < propensity
    effect = np.where(columns[:, 0] > 0, 0.3, -0.1) if apart else np.full(n, 0.1)
    outcome = random.random(n) < np.clip(0.3 + effect * treated, 0, 1)
    return Trial(("taste", "noise", "holes"), columns, treated, propensity, outcome)


def test_an_effect_that_differs_between_users_is_found_and_means_what_it_says() -> None:
    fitted = fit_uplift(trial(), CONFIG)
    fresh = trial(seed=9)
    told = fitted.effect.of(fresh.columns)
    positive = fresh.columns[:, 0] > 0
    assert told[positive].mean() == pytest.approx(0.3, abs=0.06)
    assert told[~positive].mean() == pytest.approx(-0.1, abs=0.06)
    assert fitted.choices["learner"] != LearnerKind.CONSTANT
    assert fitted.choices["heterogeneity_z"] > 5


def test_the_same_effect_for_all_is_shrunk_to_nearly_that() -> None:
    fitted = fit_uplift(trial(apart=False), CONFIG)
    told = fitted.effect.of(trial(seed=9).columns)
    assert told.mean() == pytest.approx(0.1, abs=0.04)
    assert told.std() < 0.03


def test_equal_inputs_give_equal_effects() -> None:
    one, two = (fit_uplift(trial(4_000), CONFIG) for _ in range(2))
    assert one.choices == two.choices
    assert (one.effect.of(trial().columns) == two.effect.of(trial().columns)).all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"treated": np.zeros(12_000, dtype=bool)}, "no randomised arm: no user was contacted"),
        ({"treated": np.arange(12_000) < 100}, "100 users were contacted; at least 500"),
        ({"outcome": np.zeros(12_000, dtype=bool)}, "0 have the outcome"),
        ({"propensity": np.full(12_000, np.nan)}, "propensity unknown"),
        ({"propensity": np.ones(12_000)}, "propensity unknown"),
        ({"propensity": np.full(12_000, 0.2)}, "the arms are not random"),
    ],
)
def test_what_is_no_experiment_is_refused(change: dict[str, np.ndarray], match: str) -> None:
    with pytest.raises(NotEnoughDataError, match=match):
        check_trial(replace(trial(), **change), CONFIG)


def test_arms_that_are_not_alike_are_refused() -> None:
    whole = trial()
    chosen = replace(whole, columns=whole.columns + whole.treated[:, None] * np.array([0, 0.3, 0], dtype=np.float32))
    with pytest.raises(NotEnoughDataError, match="not alike: 'noise'"):
        check_trial(chosen, CONFIG)
