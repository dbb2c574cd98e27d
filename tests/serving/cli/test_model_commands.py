import pytest

from training.bundle import read_bundle
from training.deployment import live
from training.evaluation.paired import Paired
from training.jobs import TrainReport
from training.tracking import Comparison, Tracker

BETTER = Comparison("auc", "bgnbd", Paired(0.02, 0.01, 0.03))
UNSURE = Comparison("auc", "bgnbd", Paired(0.02, -0.01, 0.05))


@pytest.fixture
def register(tracked, bundle):
    """Register a bundle as a training run would."""

    def make(version, comparisons, kind="churn"):
        with Tracker(tracked).run(kind, {}, "data") as run:
            model = run.bundle(bundle(kind, version), comparisons)
            row = {"model": "pipeline", "kind": "pipeline", "auc": 0.8}
            day = "2026-01-01T00:00:00+00:00"
            TrainReport(kind, model.version, run.id, day, day, "auc", [row], comparisons, None, 1.0).keep(run)
            return model

    return make


def test_from_challenger_to_live_and_back(mallard, home, register):
    register("v1", [BETTER])
    assert mallard("--json", "promote", "churn").document["aliases"] == ["champion"]
    assert mallard("deploy", "churn").out == "churn v1 is live\n"

    register("v2", [BETTER, Comparison("auc", "champion", Paired(0.1, 0.05, 0.2), champion="1")])
    assert mallard("deploy", "churn", "--version", "challenger").out == "churn v2 is live, before it v1\n"
    assert read_bundle(live(home, "churn")).manifest.version == "v2"

    assert mallard("--json", "rollback", "churn").document["version"] == "v1"
    assert mallard("rollback", "churn").code == 5


def test_promotion_is_refused_with_the_figures(mallard, register):
    register("v1", [UNSURE])
    outcome = mallard("promote", "churn")
    assert outcome.code == 7
    assert "95 % interval [-0.0100, +0.0500], against bgnbd" in outcome.err
    assert mallard("promote", "churn", "--force").code == 0


def test_evaluate_shows_figures_and_evidence(mallard, register):
    register("v1", [UNSURE])
    text = mallard("evaluate", "churn").out
    assert "challenger" in text
    assert "0.8000" in text
    assert "auc +0.0200, 95 % interval" in text
    documents = mallard("--json", "evaluate").document
    assert [(d["kind"], d["version"], d["report"]["rows"][0]["auc"]) for d in documents] == [("churn", "1", 0.8)]


def test_what_is_missing_is_said(mallard, tracked):
    for arguments, code in (
        (["promote", "churn"], 5),
        (["deploy", "recommend"], 5),
        (["deploy", "recommend", "--version", "7"], 2),
        (["rollback", "churn"], 5),
        (["promote", "uplift"], 5),
        (["promote", "weather"], 2),
    ):
        assert mallard(*arguments).code == code, arguments
    assert "run 'mallard train churn'" in mallard("evaluate").out


def test_mlflow_shows_its_command(mallard, home):
    command = mallard("--json", "mlflow", "--show", "--port", "5099").document["command"]
    assert command[:2] == ["mlflow", "ui"]
    assert f"sqlite:///{home.mlruns / 'mlflow.db'}" in command


def test_a_version_is_tried_shown_and_stopped(mallard, register):
    assert "no version was ever tried" in mallard("canary").out
    register("v1", [BETTER], kind="recommend")
    mallard("promote", "recommend", "--force")
    assert mallard("canary", "challenger").code == 5  # nothing is live yet
    mallard("deploy", "recommend")
    register("v2", [UNSURE], kind="recommend")
    begun = mallard("--json", "canary", "challenger", "--share", "0.2", "--shadow").document
    assert (begun["version"], begun["mode"], begun["share"], begun["ended_at"]) == ("v2", "shadow", 0.2, None)
    assert "v2 is tried on 20% of the questions, unseen since" in mallard("canary").out
    assert "v2 was tried on 20% of the questions" in mallard("canary", "--stop").out
    assert mallard("canary", "--stop").code == 5
    assert mallard("canary", "challenger", "--share", "0").code == 2
    assert mallard("canary", "challenger", "--stop").code == 2
