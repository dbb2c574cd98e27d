"""On a simulated mall the truth is a contestant, and the pipeline's distance from it is accounted for."""

from pathlib import Path
from typing import Any

import pytest

from features.contracts.config import load_config
from features.contracts.errors import ConfigError, InputError
from features.simulator import make_world, simulate
from training.bench.config import RecommendBench
from training.bench.recommend import bench_recommend
from training.bench.report import table
from training.pipelines.recommend_config import RecommendConfig

QUICK = RecommendConfig.model_validate(
    {"folds": 2, "ranker": {"rounds": 10, "patience": 5, "threads": 1}, "search_users": 50, "fold_users": 50}
)
BENCH = """\
name: simulated
interactions: {{path: mall/events/*.parquet}}
items: {{path: mall/items.parquet}}
truth: {truth}
split: {{kind: {split}, target: [{target}]}}
k: [5, 10]
budget_minutes: 0.5
"""
TEMPORAL = "temporal, cutoff: 2025-02-26, horizon: 28d"


def bench(folder: Path, truth: str = "mall", split: str = TEMPORAL, target: str = "purchase") -> Path:
    path = folder / f"{truth}-{split[:4]}-{target}.yaml"
    path.write_text(BENCH.format(truth=truth, split=split, target=target), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oracle")
    world = make_world(users=800, items=120, days=84, seed=3, order_rate_mean=0.6, block_users=500, people_per_ring=100)
    simulate(world, folder / "mall")
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> dict[str, Any]:
    return bench_recommend(bench(folder), QUICK)


def test_the_oracle_beats_everything(result: dict[str, Any]) -> None:
    rows = {row["model"]: row for row in result["rows"]}
    assert rows["oracle"]["kind"] == "oracle"
    others = [row["metrics"]["ndcg@10"] for name, row in rows.items() if name != "oracle"]
    assert rows["oracle"]["metrics"]["ndcg@10"] > max(others)
    assert result["paired"]["against"] != "oracle"
    against = {each["against"]: each for each in result["comparisons"]}
    assert against["oracle"]["high"] < 0


def test_what_is_lost_adds_up(result: dict[str, Any]) -> None:
    account = result["oracle"]
    lost = account["lost_to"]
    assert 0 < account["share"] < 1
    assert account["share"] == pytest.approx(account["pipeline"] / account["oracle"])
    assert account["users"] + account["users_without_truth"] == result["test_users"]
    assert account["users_without_truth"] > 0  # fake accounts buy and have no taste
    assert account["pipeline"] + sum(lost.values()) == pytest.approx(1)
    assert lost["chance"] == pytest.approx(1 - account["oracle"])
    assert lost["ranking"] > 0
    assert lost["cold_users"] > 0
    assert "of what the oracle reaches" in table(result)


@pytest.mark.parametrize(("split", "target"), [("leave_one_out", "purchase"), (TEMPORAL, "view")])
def test_truth_that_does_not_answer_the_question_is_refused(folder: Path, split: str, target: str) -> None:
    with pytest.raises(ConfigError, match="truth tells what people will buy"):
        load_config(RecommendBench, bench(folder, split=split, target=target))


def test_a_folder_without_truth_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="elsewhere"):
        bench_recommend(bench(folder, truth="elsewhere"), QUICK)
