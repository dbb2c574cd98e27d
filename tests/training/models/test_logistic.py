import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.models.logistic import Logistic


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    columns = rng.normal(size=(4_000, 3)) * [1.0, 20.0, 0.1] + [0.0, 5.0, -2.0]
    return columns, rng.random(4_000) < expit(0.4 + columns[:, 0] - 0.05 * columns[:, 1])


def test_it_finds_what_scikit_learn_finds() -> None:
    columns, label = _data()
    ours = Logistic.fit(columns, label, ridge=1.0)
    theirs = LogisticRegression(C=1.0, tol=1e-10).fit((columns - ours.centre) / ours.scale, label)
    np.testing.assert_allclose(ours.weight, theirs.coef_[0], atol=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_parts_and_intercept_add_up() -> None:
    columns, label = _data()
    model = Logistic.fit(columns, label)
    np.testing.assert_allclose(model.parts(columns).sum(axis=1) + model.intercept, model.log_odds(columns))


def test_separated_classes_and_constant_columns_stay_finite() -> None:
    columns = np.column_stack([np.arange(100.0), np.full(100, 3.0)])
    model = Logistic.fit(columns, np.arange(100) >= 50)
    assert np.isfinite(model.to_array()).all()
    assert model.weight[1] == 0


def test_the_array_form_is_the_model() -> None:
    columns, label = _data()
    model = Logistic.fit(columns, label)
    again = Logistic.from_array(model.to_array())
    np.testing.assert_array_equal(again.probability(columns), model.probability(columns))
