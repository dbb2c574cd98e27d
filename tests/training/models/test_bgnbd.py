from importlib.metadata import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from training.models.bgnbd import BgNbd, PurchaseHistory


def _cdnow_sample() -> PurchaseHistory:
    """The published tenth sample in weeks: 39 weeks of calibration, to the end of 1997-09-30."""
    file = next(f for f in files("lifetimes") or [] if f.name == "CDNOW_sample.txt")
    log = pd.read_csv(Path(str(file.locate())), sep=r"\s+", header=None, names=["master", "id", "date", "cds", "usd"])
    log["date"] = pd.to_datetime(log["date"].astype(str))
    end = pd.Timestamp("1997-09-30")
    by_customer = log[log["date"] <= end].groupby("id")["date"].agg(["min", "max", "nunique"])
    weeks = pd.Timedelta(weeks=1)
    return PurchaseHistory(
        frequency=by_customer["nunique"].to_numpy(dtype=np.float64) - 1,
        recency=((by_customer["max"] - by_customer["min"]) / weeks).to_numpy(dtype=np.float64),
        age=((end - by_customer["min"]) / weeks).to_numpy(dtype=np.float64),
    )


@pytest.fixture(scope="module")
def history() -> PurchaseHistory:
    return _cdnow_sample()


@pytest.fixture(scope="module")
def model(history: PurchaseHistory) -> BgNbd:
    return BgNbd.fit(history)


def test_the_published_fit_is_reproduced(model: BgNbd, history: PurchaseHistory) -> None:
    assert len(history.age) == 2357
    assert model.r == pytest.approx(0.243, abs=5e-4)
    assert model.alpha == pytest.approx(4.414, abs=1e-3)
    assert model.a == pytest.approx(0.793, abs=5e-4)
    assert model.b == pytest.approx(2.426, abs=1e-3)
    assert model.log_likelihood(history) == pytest.approx(-9582.4, abs=0.05)


def test_expected_purchases_equal_the_published_formula(model: BgNbd, history: PurchaseHistory) -> None:
    x, age, t = history.frequency, history.age, 39.0
    r, alpha, a, b = model.to_array()
    series = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + age + t))
    growth = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + t)) ** (r + x) * series)
    np.testing.assert_allclose(model.expected_purchases(history, t), growth * model.alive(history), rtol=1e-9)


def test_no_purchase_agrees_with_simulated_customers() -> None:
    model = BgNbd(r=0.8, alpha=5.0, a=0.9, b=2.5)
    rng = np.random.default_rng(5)
    observed, horizon = 30.0, 10.0
    outcomes: dict[tuple[int, int], list[bool]] = {}
    for _ in range(40_000):
        rate, leave = rng.gamma(model.r, 1 / model.alpha), rng.beta(model.a, model.b)
        time, times = 0.0, []
        while (time := time + rng.exponential(1 / rate)) < observed + horizon:
            times.append(time)
            if rng.random() < leave:
                break
        before = [moment for moment in times if moment < observed]
        key = (len(before), int(before[-1] // 10) if before else 0)
        outcomes.setdefault(key, []).append(len(times) == len(before))
    for (bought, _), silent in outcomes.items():
        if bought == 0 and len(silent) > 500:
            predicted = model.no_purchase(PurchaseHistory(*(np.array([v]) for v in (0.0, 0.0, observed))), horizon)
            assert np.mean(silent) == pytest.approx(predicted[0], abs=0.02)
    late = outcomes[2, 2]
    middle = model.no_purchase(PurchaseHistory(*(np.array([v]) for v in (2.0, 25.0, observed))), horizon)
    assert np.mean(late) == pytest.approx(middle[0], abs=0.05)


def test_alive_is_one_for_customers_who_bought_once(model: BgNbd) -> None:
    once = PurchaseHistory(np.zeros(2), np.zeros(2), np.array([1.0, 300.0]))
    np.testing.assert_array_equal(model.alive(once), 1.0)
    assert model.no_purchase(once, 13.0)[1] > model.no_purchase(once, 13.0)[0]


def test_thousands_of_purchases_stay_finite(model: BgNbd) -> None:
    heavy = PurchaseHistory(np.array([5_000.0, 5_000.0]), np.array([39.0, 1.0]), np.array([39.0, 39.0]))
    expected, none = model.expected_purchases(heavy, 13.0), model.no_purchase(heavy, 13.0)
    assert np.isfinite(expected).all()
    assert expected[0] > 100
    assert 0 <= none[0] < 0.01
    assert none[1] == pytest.approx(1.0)


@pytest.mark.parametrize("frequency", [np.zeros(40), np.full(40, 3.0)])
def test_uniform_customers_can_be_fitted(frequency: np.ndarray) -> None:
    age = np.full(40, 10.0)
    fitted = BgNbd.fit(PurchaseHistory(frequency, np.where(frequency > 0, 9.0, 0.0), age))
    none = fitted.no_purchase(PurchaseHistory(frequency, np.where(frequency > 0, 9.0, 0.0), age), 5.0)
    assert np.isfinite(none).all()
    assert ((none >= 0) & (none <= 1)).all()


def test_the_array_form_is_the_model(model: BgNbd) -> None:
    assert BgNbd.from_array(model.to_array()) == model


def test_a_log_without_purchases_gives_a_usable_model() -> None:
    empty = PurchaseHistory(np.empty(0), np.empty(0), np.empty(0))
    assert len(BgNbd.fit(empty).no_purchase(empty, 28.0)) == 0
