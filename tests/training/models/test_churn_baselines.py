import numpy as np
import pytest

from training.evaluation.probability import auc, calibration_error
from training.models.bgnbd import PurchaseHistory
from training.models.btyd import Btyd
from training.models.churn_baselines import NAMES, ChurnBaseline, CustomerSummary


def _past(seed: int) -> tuple[CustomerSummary, Btyd, np.ndarray]:
    """Customers of two kinds: those who still buy weekly, and those who stopped."""
    rng = np.random.default_rng(seed)
    n = 3_000
    active = rng.random(n) < 0.5
    age = rng.uniform(60, 200, n)
    silence = np.where(active, rng.exponential(7, n), rng.uniform(10, 200, n)).clip(0, age)
    frequency = np.floor((age - silence) / 7 * rng.random(n))
    history = PurchaseHistory(frequency, np.where(frequency > 0, age - silence, 0.0), age)
    label = rng.random(n) < np.where(active, 0.1, 0.9)
    return CustomerSummary(history, silence, 10 * (frequency + 1)), Btyd.fit(history), label


@pytest.mark.parametrize("name", NAMES)
def test_baselines_give_calibrated_probabilities(name: str) -> None:
    baseline = ChurnBaseline.fit(name, [_past(1), _past(2)], 28.0)
    summary, rhythm, label = _past(3)
    probability = baseline.probability(summary, rhythm)
    assert auc(label, probability) > 0.6
    assert calibration_error(label, probability) < 0.12
