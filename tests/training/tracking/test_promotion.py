import pytest

from features.contracts.errors import MissingStateError, PromotionRefusedError
from training.evaluation.paired import Paired
from training.tracking import Comparison
from training.tracking.promotion import from_text, refusal, to_text

BETTER = Paired(0.02, 0.01, 0.03)
UNSURE = Paired(0.02, -0.01, 0.05)


def against(paired, champion=""):
    return Comparison("auc", "champion" if champion else "bgnbd", paired, champion)


def test_the_first_champion_must_beat_its_best_baseline():
    assert refusal([against(BETTER)], champion="") is None
    reason = refusal([against(UNSURE)], champion="")
    assert "auc +0.0200, 95 % interval [-0.0100, +0.0500], against bgnbd" in reason


def test_an_interval_that_touches_zero_or_is_unknown_does_not_promote():
    assert refusal([against(Paired(0.01, 0.0, 0.02))], champion="")
    assert refusal([against(Paired(0.01, float("nan"), float("nan")))], champion="")


def test_no_comparison_is_no_evidence():
    assert refusal([], champion="") == "no paired comparison was recorded for it"


def test_a_challenger_must_beat_this_champion_and_not_its_predecessor():
    assert refusal([against(BETTER), against(BETTER, "3")], champion="3") is None
    assert "the champion is version 4" in refusal([against(BETTER, "3")], champion="4")
    assert "baselines only" in refusal([against(BETTER)], champion="4")


def test_every_comparison_counts():
    assert "against champion version 3" in refusal([against(BETTER), against(UNSURE, "3")], champion="3")
    assert "against bgnbd" in refusal([against(UNSURE), against(BETTER, "3")], champion="3")


def test_comparisons_survive_being_stored():
    kept = [against(BETTER), against(UNSURE, "3")]
    assert list(from_text(to_text(kept))) == kept
    assert from_text("") == ()


def registered(tracker, bundle, version, comparisons):
    with tracker.run("churn", {}, "abc") as run:
        return run.bundle(bundle("churn", version), comparisons)


def test_the_life_of_champions(tracker, bundle):
    with pytest.raises(MissingStateError, match="no churn challenger yet"):
        tracker.promote("churn")

    first = registered(tracker, bundle, "v1", [against(UNSURE)])
    with pytest.raises(PromotionRefusedError, match=r"churn version 1 is not promoted.*\[-0\.0100, \+0\.0500\]"):
        tracker.promote("churn")
    assert tracker.alias("churn", "champion") is None
    assert tracker.alias("churn", "challenger") == first

    assert tracker.promote("churn", force=True).aliases == ("champion",)
    assert tracker.alias("churn", "challenger") is None

    second = registered(tracker, bundle, "v2", [against(BETTER), against(BETTER, first.version)])
    assert tracker.promote("churn").version == second.version
    assert tracker.fetch("churn", "champion") == second.path

    stale = registered(tracker, bundle, "v3", [against(BETTER, first.version)])
    with pytest.raises(PromotionRefusedError, match="the champion is version 2"):
        tracker.promote("churn")
    judged_again = [against(BETTER, second.version)]
    assert tracker.promote("churn", judged_again).version == stale.version
    assert [model.version for model in tracker.versions("churn")] == ["3", "2", "1"]
