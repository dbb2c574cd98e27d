from pathlib import Path

import pytest

from features.contracts.errors import NotEnoughDataError
from features.contracts.home import Home
from features.lake import Lake
from tests.serving.conftest import home_at
from tests.training.models.test_value import CONFIG
from tests.training.pipelines import cdnow
from training.bundle import read_bundle
from training.jobs import TrainReport, train_uplift, train_value
from training.jobs.judgement import Judgement
from training.models.value import ValueModel
from training.pipelines.value import BASELINES, PIPELINE
from training.tracking import Tracker


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = home_at(tmp_path_factory.mktemp("mall"))
    home.configs.mkdir()
    (home.configs / "value.yaml").write_text(CONFIG.model_dump_json())
    Lake(home).append_events(cdnow.events(), batch_id="all")
    return home


@pytest.fixture(scope="module")
def report(home: Home) -> TrainReport:
    return train_value(home)


def test_it_is_judged_beside_every_baseline_on_a_window_it_has_not_seen(report: TrainReport) -> None:
    assert [row["model"] for row in report.rows] == [PIPELINE, *BASELINES]
    assert report.cutoff < report.as_of
    ours, *others = report.rows
    best = max(others, key=lambda row: row["gini"])
    assert report.comparisons[0].against == best["model"]
    assert report.comparisons[0].paired.mean == pytest.approx(ours["gini"] - best["gini"], abs=1e-9)


def test_the_registered_model_loads_and_is_judged_again_like_this(home: Home, report: TrainReport) -> None:
    model = Tracker(home).find("value", report.version)
    bundle = read_bundle(model.path)
    assert ValueModel.from_bundle(bundle).horizons == CONFIG.horizons
    assert (bundle.manifest.run_id, bundle.manifest.as_of) == (report.run_id, report.as_of)
    kept = Judgement.of(model)
    assert kept is not None
    assert kept.minus(kept).mean == 0
    assert {file.stem for file in model.beside("pictures").glob("*.png")} == {"leaderboard"}


def test_effects_are_refused_where_nothing_was_sent(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match="no randomised arm: no message_sent"):
        train_uplift(home)
