import numpy as np

from training.evaluation.probability import auc, brier
from training.evaluation.segments import judge_segments


def test_each_group_is_judged_on_its_own_users_with_intervals_that_hold_the_value() -> None:
    rng = np.random.default_rng(0)
    probability = rng.uniform(size=4000)
    label = rng.uniform(size=4000) < probability
    half = np.arange(4000) < 2000
    wrong = np.where(half, probability, np.clip(probability + 0.2, 0, 1))
    found = judge_segments(label, wrong, {"honest": half, "off": ~half, "none": np.zeros(4000, dtype=np.bool_)})
    assert list(found) == ["honest", "off"]
    for name, members in (("honest", half), ("off", ~half)):
        group = found[name]
        assert group["users"] == 2000
        assert group["metrics"]["auc"] == auc(label[members], wrong[members])
        for metric, value in (("auc", group["metrics"]["auc"]), ("brier", brier(label[members], wrong[members]))):
            low, high = group["intervals"][metric]
            assert low < value < high
    low, high = found["honest"]["intervals"]["bias"]
    assert low < 0 < high
    assert found["off"]["intervals"]["bias"][0] > 0.1


def test_a_group_too_small_to_judge_is_refused_with_what_is_missing() -> None:
    label = np.arange(300) % 20 == 0
    groups = {"few": np.arange(300) < 60, "one sided": np.ones(300, dtype=np.bool_)}
    found = judge_segments(label, np.full(300, 0.05), groups)
    assert found["few"]["refused"].startswith("60 users, 3 of the rarer outcome")
    assert "metrics" not in found["few"]
    assert found["one sided"]["refused"].startswith("300 users, 15 of the rarer")
