import numpy as np
import pytest

from features.contracts.errors import BundleError
from training.monitoring import Level, MonitorConfig, Reference, input_findings, score_findings, worst
from training.monitoring.reference import Histogram
from training.monitoring.shift import psi_beyond_chance

CONFIG = MonitorConfig()


def mall(users: int, seed: int, *, shift: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    gap = rng.exponential(10, users)
    gap[rng.uniform(size=users) < 0.2] = np.nan
    return {
        "orders_30d": rng.poisson(2, users).astype(float),
        "visits_30d": rng.normal(8 + shift, 3, users),
        "gap": gap,
    }


def reference() -> Reference:
    probability = np.random.default_rng(1).uniform(size=2000)
    return Reference.take(
        mall(2000, 0), probability, {"orders_30d": 1.0, "visits_30d": 2.0, "gap": 1.0, "other": 1.0}, 0.8
    )


@pytest.mark.parametrize("users", [60, 300, 2_000, 300_000])
@pytest.mark.parametrize("seed", range(5))
def test_no_size_of_a_sample_without_drift_raises_an_alarm(users: int, seed: int) -> None:
    findings = input_findings(reference(), mall(users, 100 + seed), CONFIG)
    findings += score_findings(reference(), np.random.default_rng(seed).uniform(size=users), CONFIG)
    assert worst(findings) is Level.FINE


def test_a_planted_drift_is_named_and_grows_with_the_effect_and_not_with_n() -> None:
    small, large = (input_findings(reference(), mall(n, 7, shift=3.0), CONFIG) for n in (3_000, 300_000))
    for findings in (small, large):
        assert [finding.name for finding in findings] == ["", "visits_30d"]
        assert findings[1].level >= Level.YELLOW
        assert "visits_30d" in findings[1].text
    assert small[1].value == pytest.approx(large[1].value, rel=0.15)
    mild = input_findings(reference(), mall(3_000, 7, shift=1.0), CONFIG)
    assert mild[0].value < small[0].value


def test_a_tag_that_is_null_throughout_is_drift() -> None:
    tags = mall(3_000, 7) | {"gap": np.full(3_000, np.nan)}
    assert "gap" in [finding.name for finding in input_findings(reference(), tags, CONFIG)]
    without = {name: values for name, values in tags.items() if name != "gap"}
    assert "gap" in [finding.name for finding in input_findings(reference(), without, CONFIG)]


def test_what_comes_every_year_is_no_alarm() -> None:
    now, last_year = mall(3_000, 7, shift=3.0), mall(3_000, 8, shift=3.0)
    assert worst(input_findings(reference(), now, CONFIG)) >= Level.YELLOW
    assert worst(input_findings(reference(), now, CONFIG, last_year)) is Level.FINE


def test_scores_that_moved_are_found() -> None:
    moved = np.random.default_rng(2).beta(2, 5, 5_000)
    assert worst(score_findings(reference(), moved, CONFIG)) >= Level.YELLOW
    again = np.random.default_rng(3).beta(2, 5, 5_000)
    assert worst(score_findings(reference(), moved, CONFIG, again)) is Level.FINE


def test_equal_values_share_a_bin_and_null_has_its_own() -> None:
    kept = Histogram.of(np.array([0.0] * 90 + [5.0] * 8 + [np.nan] * 2))
    assert sum(kept.shares) == pytest.approx(1.0)
    assert kept.shares[-1] == 0.02
    assert psi_beyond_chance(kept, np.array([0.0] * 90 + [5.0] * 8 + [np.nan] * 2)) == 0.0


def test_it_survives_its_file_and_a_damaged_one_is_named() -> None:
    assert Reference.from_json(reference().to_json(), "x") == reference()
    with pytest.raises(BundleError, match=r"bundle/reference\.json: not a whole reference"):
        Reference.from_json("{}", "bundle/reference.json")
