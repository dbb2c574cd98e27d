import numpy as np
import pytest

from training.evaluation.probability import probability_metrics
from training.monitoring import Level, MonitorConfig, closed_findings, expected_findings, segment_findings, worst

CONFIG = MonitorConfig()
NOBODY = np.zeros(20_000, dtype=np.bool_)


def drawn(shift: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1.5, 20_000)
    return 1 / (1 + np.exp(-odds)), rng.uniform(size=20_000) < 1 / (1 + np.exp(-odds - shift))


def test_expected_metrics_are_those_that_come_when_the_probabilities_are_right() -> None:
    probability, label = drawn()
    came = probability_metrics(label, probability)
    for finding in expected_findings(probability):
        assert finding.level is Level.FINE
        assert finding.value == pytest.approx(came[finding.name], abs=0.01)


def test_what_came_true_is_fine_and_a_shift_of_labels_is_found_after_closing() -> None:
    probability, label = drawn()
    trained = probability_metrics(label, probability)["auc"]
    assert worst(closed_findings(label, probability, NOBODY, trained, CONFIG, "2024-01-01")) is Level.FINE
    probability, label = drawn(shift=0.6, seed=1)
    findings = closed_findings(label, probability, NOBODY, trained, CONFIG, "2024-01-01")
    assert {finding.about: finding.level for finding in findings} == {
        "calibration": Level.RED,
        "ranking": Level.FINE,
    }
    assert "2024-01-01" in findings[0].text


def test_an_order_that_no_longer_holds_is_found() -> None:
    probability, label = drawn()
    shuffled = np.random.default_rng(5).permutation(label)
    findings = closed_findings(shuffled, probability, NOBODY, 0.8, CONFIG, "w")
    assert {f.about: f.level for f in findings}["ranking"] is Level.RED


def test_users_who_are_never_contacted_judge_alone_where_there_are_enough() -> None:
    probability, label = drawn()
    holdout = np.arange(20_000) < 2_000
    kept = label & (holdout | (np.arange(20_000) % 2 == 0))  # contacting keeps half of those who would leave
    alone = closed_findings(kept, probability, holdout, None, CONFIG, "w")
    assert worst(alone) is Level.FINE
    assert "2,000 hold-out users" in alone[0].text
    assert worst(closed_findings(kept, probability, np.arange(20_000) < 100, None, CONFIG, "w")) is Level.RED
    few = slice(0, 150)
    assert closed_findings(label[few], probability[few], holdout[few], None, CONFIG, "w") == []


def test_segments_beyond_the_limit_are_named_unless_it_is_chance_or_few() -> None:
    label = np.arange(20_000) % 10 < 3
    first = np.arange(20_000)
    groups = {"silent": first >= 0, "few": first < 100, "doubled": label | (first < 5_000)}
    found = {f.name: f.level for f in segment_findings(label, groups, CONFIG, "w")}
    assert found == {"silent": Level.YELLOW, "doubled": Level.RED}
    near = np.arange(20_000) % 100 < 20
    assert segment_findings(near, {"all": first >= 0}, CONFIG, "w") == []
