from pathlib import Path

import pytest

from features.contracts.errors import MissingStateError, PromotionRefusedError
from features.contracts.home import Home
from features.lake import Lake
from tests.serving import small_mall
from tests.serving.conftest import home_at
from training.bundle import read_bundle
from training.jobs import TrainReport, train_recommend
from training.jobs.judgement import Judgement
from training.models.recommend_bundle import RecommendBundle
from training.models.source import sources
from training.tracking import CHALLENGER, CHAMPION, Tracker


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = home_at(tmp_path_factory.mktemp("mall"))
    home.configs.mkdir()
    (home.configs / "recommend.yaml").write_text("{horizon: 7d, folds: 2}\n")
    lake = Lake(home)
    lake.append_events(small_mall.events(), batch_id="all")
    lake.upsert(items=small_mall.items())
    return home


@pytest.fixture(scope="module")
def first(home: Home) -> TrainReport:
    return train_recommend(home, budget_minutes=1)


def test_it_is_judged_beside_every_source_and_baseline(first: TrainReport) -> None:
    kinds = {row["model"]: row["kind"] for row in first.rows}
    assert kinds["pipeline"] == "pipeline"
    kept = {model for model, kind in kinds.items() if kind == "source"}
    assert len(kept) > 2
    assert kept <= set(sources())
    assert {"popular", "personal_frequency"} <= {m for m, kind in kinds.items() if kind == "baseline"}
    best = max((row for row in first.rows if row["kind"] in ("source", "baseline")), key=lambda row: row["ndcg@10"])
    assert first.comparisons[0].against == best["model"]
    difference = first.rows[0]["ndcg@10"] - best["ndcg@10"]
    assert first.comparisons[0].paired.mean == pytest.approx(difference, abs=1e-9)


def test_the_registered_bundle_has_seen_everything(home: Home, first: TrainReport) -> None:
    model = Tracker(home).find("recommend", first.version)
    bundle = RecommendBundle.from_bundle(read_bundle(model.path))
    assert len(bundle.interactions) == len(small_mall.events())
    assert bundle.manifest.run_id == first.run_id
    assert first.cutoff < first.as_of == bundle.manifest.as_of


def test_report_judgement_and_pictures_are_kept(home: Home, first: TrainReport) -> None:
    model = Tracker(home).find("recommend", first.version)
    kept = TrainReport.of(model)
    assert kept.to_text() == first.to_text()
    judgement = Judgement.of(model)
    assert judgement is not None
    assert judgement.value.mean() == pytest.approx(first.rows[0]["ndcg@10"])
    drawn = {file.stem for file in model.beside("pictures").glob("*.png")}
    assert {"leaderboard", "recall_per_source", "slices"} <= drawn
    page = model.beside("report.html").read_text(encoding="utf-8")
    assert "strongest simple list" in page
    assert "thing " in page  # titles of the catalogue stand in the examples
    assert not any(f"u{user:02}" in page for user in range(small_mall.USERS))


def test_the_same_data_again_does_not_make_a_new_champion(home: Home, first: TrainReport) -> None:
    tracker = Tracker(home)
    tracker.promote("recommend", force=True)
    again = train_recommend(home, budget_minutes=1)
    with_champion = [c for c in again.comparisons if c.champion == first.version]
    assert [c.paired.mean for c in with_champion] == [0.0]
    assert again.refusal is not None
    with pytest.raises(PromotionRefusedError, match="not shown to be better"):
        tracker.promote("recommend")
    champion = tracker.alias("recommend", CHAMPION)
    challenger = tracker.alias("recommend", CHALLENGER)
    assert champion is not None
    assert challenger is not None
    assert (champion.version, challenger.version) == (first.version, again.version)


def test_an_empty_lake_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingStateError, match="mallard ingest"):
        train_recommend(home_at(tmp_path))
