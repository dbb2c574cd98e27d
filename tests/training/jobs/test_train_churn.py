import json
from datetime import timedelta

import pytest

from features.contracts.home import Home
from features.lake import Lake
from tests.serving.conftest import home_at
from tests.training.pipelines import cdnow
from training.bundle import read_bundle
from training.jobs import TrainReport, train_churn
from training.jobs.judgement import Judgement
from training.models.churn import ChurnModel
from training.models.churn_baselines import NAMES
from training.monitoring import REFERENCE, Reference
from training.tracking import Tracker


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = home_at(tmp_path_factory.mktemp("mall"))
    home.configs.mkdir()
    (home.configs / "churn.yaml").write_text(cdnow.config().model_dump_json())
    Lake(home).append_events(cdnow.events(), batch_id="all")
    return home


@pytest.fixture(scope="module")
def report(home: Home) -> TrainReport:
    return train_churn(home)


def test_it_is_judged_beside_every_baseline_on_a_window_it_has_not_seen(report: TrainReport) -> None:
    assert [row["model"] for row in report.rows] == ["pipeline", *NAMES]
    assert report.rows[0]["auc"] > 0.75
    assert report.cutoff < report.as_of
    best = max(report.rows[1:], key=lambda row: row["auc"])
    assert report.comparisons[0].against == best["model"]
    assert report.comparisons[0].paired.mean == pytest.approx(report.rows[0]["auc"] - best["auc"], abs=1e-9)


def test_the_registered_model_loads_and_knows_its_run(home: Home, report: TrainReport) -> None:
    model = Tracker(home).find("churn", report.version)
    bundle = read_bundle(model.path)
    assert ChurnModel.from_bundle(bundle).label.horizon == cdnow.config().label.horizon > timedelta(0)
    reference = Reference.from_json(bundle.text(REFERENCE), REFERENCE)
    assert set(reference.inputs) == set(ChurnModel.from_bundle(bundle).tags)
    assert 0 < reference.mean_score < 1
    assert reference.auc == report.rows[0]["auc"]
    assert (bundle.manifest.run_id, bundle.manifest.as_of) == (report.run_id, report.as_of)


def test_report_judgement_and_pictures_are_kept(home: Home, report: TrainReport) -> None:
    model = Tracker(home).find("churn", report.version)
    assert TrainReport.of(model).to_document()["rows"] == list(report.rows)
    judgement = Judgement.of(model)
    assert judgement is not None
    assert judgement.outcome is not None
    assert len(judgement.users) == len(judgement.outcome) == len(judgement.value)
    assert "<h1>" in model.beside("report.html").read_text(encoding="utf-8")
    told = json.loads(model.beside("result.json").read_text(encoding="utf-8"))["cutoffs"][0]
    assert told["paired"]["against"] == report.comparisons[0].against
    assert told["slices"]
    drawn = {file.stem for file in model.beside("pictures").glob("*.png")}
    assert drawn == {"calibration", "gain_and_lift", "importance", "leaderboard", "profit", "slices"}
