import numpy as np
import pytest
from scipy.special import gammaln, hyp2f1

from tests.training.models.test_bgnbd import _cdnow_sample
from training.models.bgnbd import PurchaseHistory
from training.models.pareto_nbd import ParetoNbd


@pytest.fixture(scope="module")
def history() -> PurchaseHistory:
    return _cdnow_sample()


@pytest.fixture(scope="module")
def model(history: PurchaseHistory) -> ParetoNbd:
    return ParetoNbd.fit(history)


def test_the_published_fit_is_reproduced(model: ParetoNbd, history: PurchaseHistory) -> None:
    """Fader & Hardie (2005), "A Note on Implementing the Pareto/NBD Model in MATLAB"."""
    assert model.r == pytest.approx(0.553, abs=1e-3)
    assert model.alpha == pytest.approx(10.578, abs=0.02)
    assert model.s == pytest.approx(0.606, abs=1e-3)
    assert model.beta == pytest.approx(11.669, abs=0.03)
    assert model.log_likelihood(history) == pytest.approx(-9595.0, abs=0.05)


@pytest.mark.parametrize(("alpha", "beta"), [(10.6, 11.7), (12.0, 5.0), (0.4, 30.0)])
def test_the_integral_equals_the_hypergeometric_form(history: PurchaseHistory, alpha: float, beta: float) -> None:
    model = ParetoNbd(r=0.553, alpha=alpha, s=0.606, beta=beta)
    x, last, age = history.frequency, history.recency, history.age
    total = model.r + model.s + x
    larger, smaller = max(alpha, beta), min(alpha, beta)
    exponent = model.s + 1 if alpha >= beta else model.r + x

    def term(time: np.ndarray) -> np.ndarray:
        series = hyp2f1(total, exponent, total + 1, (larger - smaller) / (larger + time))
        return np.asarray(series / (larger + time) ** total)

    a0 = term(last) - term(age)
    active = (alpha + age) ** -(model.r + x) * (beta + age) ** -model.s
    shared = gammaln(model.r + x) - gammaln(model.r) + model.r * np.log(alpha) + model.s * np.log(beta)
    each = shared + np.log(active + model.s / total * a0)
    assert model.log_likelihood(history) == pytest.approx(float(each.sum()), rel=1e-7)
    np.testing.assert_allclose(model.alive(history), active / (active + model.s / total * a0), rtol=1e-5)


def test_forecasts_agree_with_simulated_customers() -> None:
    model = ParetoNbd(r=0.9, alpha=6.0, s=0.8, beta=12.0)
    rng = np.random.default_rng(11)
    observed, horizon, count = 30.0, 10.0, 60_000
    rate, leave = rng.gamma(model.r, 1 / model.alpha, count), rng.gamma(model.s, 1 / model.beta, count)
    lifetime = rng.exponential(1 / leave)
    outcomes: dict[tuple[int, int], list[int]] = {}
    for customer in range(count):
        end = min(lifetime[customer], observed + horizon)
        times = np.sort(rng.uniform(0, end, rng.poisson(rate[customer] * end)))
        before = times[times < observed]
        last = before[-1] if len(before) else 0.0
        outcomes.setdefault((len(before), int(last // 3)), []).append(len(times) - len(before))
    for (purchases, third), later in outcomes.items():
        if len(later) < 1_000:
            continue
        last = 0.0 if purchases == 0 else 3.0 * third + 1.5
        one = PurchaseHistory(np.array([float(purchases)]), np.array([last]), np.array([observed]))
        none, error = float(np.mean(np.array(later) == 0)), 1.0 / np.sqrt(len(later))
        assert model.no_purchase(one, horizon)[0] == pytest.approx(none, abs=2.5 * error)
        spread = float(np.std(later)) / np.sqrt(len(later))
        assert model.expected_purchases(one, horizon)[0] == pytest.approx(np.mean(later), abs=5 * spread)


def test_no_purchase_is_a_survival_curve_and_bounds_expectation() -> None:
    model = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)
    history = PurchaseHistory(np.array([0.0, 3.0, 900.0]), np.array([0.0, 30.0, 38.9]), np.array([39.0, 39.0, 39.0]))
    curve = np.stack([model.no_purchase(history, horizon) for horizon in (1e-9, 4.0, 13.0, 52.0)])
    assert np.all(np.diff(curve, axis=0) < 1e-12)
    np.testing.assert_allclose(curve[0], 1.0, atol=1e-6)
    assert np.all(1.0 - curve[2] <= model.expected_purchases(history, 13.0) + 1e-9)  # Markov's inequality


def test_extremes_stay_finite() -> None:
    rng = np.random.default_rng(3)
    age = rng.uniform(0.0, 700.0, 500)
    frequency = np.where(np.arange(500) % 5 == 0, 0.0, rng.integers(1, 650, 500)).astype(np.float64)
    history = PurchaseHistory(frequency, np.where(frequency > 0, age * rng.uniform(0, 1, 500), 0.0), age)
    model = ParetoNbd.fit(history)
    for values in (model.alive(history), model.no_purchase(history, 90.0)):
        assert np.isfinite(values).all()
        assert np.all((values >= 0) & (values <= 1 + 1e-12))
    assert np.isfinite(model.expected_purchases(history, 90.0)).all()
    empty = PurchaseHistory(np.empty(0), np.empty(0), np.empty(0))
    assert ParetoNbd.fit(empty).no_purchase(empty, 1.0).shape == (0,)


def test_arrays_carry_the_model(model: ParetoNbd) -> None:
    assert ParetoNbd.from_array(model.to_array()) == model
