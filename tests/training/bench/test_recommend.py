"""Recommendation benchmarks from file to result, in every format and with every split."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.contracts.config import load_config
from features.contracts.errors import ConfigError, InputError, UnreadableSourceError
from tests.training.bench import mall
from training.bench.config import RecommendBench
from training.bench.recommend import bench_recommend, prepare
from training.bench.report import table, write_result
from training.models.baselines import baselines
from training.models.source import sources
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommender import fit_recommender
from training.report import write_report

TEMPORAL = "{kind: temporal, cutoff: 2021-04-03, horizon: 28d, target: [purchase]}"
QUICK = RecommendConfig.model_validate(
    {"folds": 2, "ranker": {"rounds": 10, "patience": 5, "threads": 1}, "search_users": 50, "fold_users": 50}
)
NAMES = [f"{metric}@{k}" for metric in ("ndcg", "hit", "recall", "mrr", "map", "coverage", "novelty") for k in (5, 10)]


def run(path: Path) -> dict[str, Any]:
    return bench_recommend(path, QUICK)


def check(result: dict[str, Any], tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What BLUEPRINT promises of every result; the rows by model."""
    assert {"name", "users", "items", "interactions", "test_users", "commit", "machine"} <= set(result)
    assert {"rows", "paired", "slices", "choices"} <= set(result)
    rows = {row["model"]: row for row in result["rows"]}
    assert len(rows) == len(result["rows"])
    assert rows["pipeline"]["kind"] == "pipeline"
    for row in rows.values():
        assert set(NAMES) <= set(row["metrics"])
        assert row["seconds"] >= 0
        assert row["peak_mb"] > 10
        shares = {n: value for n, value in row["metrics"].items() if not n.startswith(("novelty", "popularity_bias"))}
        assert all(0 <= value <= 1 for value in shares.values())
        assert {"head_share@10", "gini@10"} <= set(row["metrics"])
        assert ("popularity_bias@10" in row["metrics"]) == (
            row["metrics"]["coverage@10"] > 0
        )  # of nothing there is none
    rivals = {name: row for name, row in rows.items() if row["kind"] in ("source", "baseline")}
    best = max(row["metrics"]["ndcg@10"] for row in rivals.values())
    paired = result["paired"]
    assert paired["metric"] == "ndcg@10"
    assert rivals[paired["against"]]["metrics"]["ndcg@10"] == best
    assert paired["mean"] == pytest.approx(rows["pipeline"]["metrics"]["ndcg@10"] - best)
    assert paired["low"] <= paired["mean"] <= paired["high"]
    assert result["found"]["metric"] == "recall@10"
    assert [row["model"] for row in result["standings"]] == list(rows)
    assert (result["truth"]["pairs"], len(result["examples"])) >= (result["test_users"], 1)
    assert "pipeline" in table(result)
    write_result(result, tmp_path / "result.json")
    write_report(result, tmp_path / "report.html")
    assert str(result["name"]) in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["rows"]
    return rows


def temporal(folder: Path, file: str) -> dict[str, Any]:
    mall.write(mall.log(), folder / file)
    mall.write(mall.catalogue(), folder / "items.parquet")
    items = "items: {path: items.parquet, columns: {item_id: i, category: c}}"
    return run(mall.config(folder, f"path: {file}\n  {mall.MAPPED}", TEMPORAL, items))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return temporal(tmp_path_factory.mktemp("parquet"), "e.parquet")


def test_temporal_split_with_catalogue(result: dict[str, Any], tmp_path: Path) -> None:
    rows = check(result, tmp_path)
    assert set(baselines()) <= set(rows)
    assert set(sources()) <= set(rows)
    assert (result["users"], result["items"]) == (mall.USERS, mall.ITEMS)
    assert result["interactions"] == len(mall.log())
    assert any(name.startswith("history") for name in result["slices"])
    assert {f"category Shelf {n}" for n in range(4)} <= set(result["slices"])
    assert 0 < rows["pipeline"]["metrics"]["category_diversity@10"] < 1
    assert "brand_diversity@10" not in rows["pipeline"]["metrics"]  # the catalogue knows no brands
    assert rows["personal_frequency"]["metrics"]["ndcg@10"] > rows["popular"]["metrics"]["ndcg@10"]


@pytest.mark.parametrize("file", ["e.csv.gz", "e.jsonl"])
def test_every_format_gives_the_same_figures(result: dict[str, Any], tmp_path: Path, file: str) -> None:
    other = temporal(tmp_path, file)
    assert [row["metrics"] for row in other["rows"]] == [row["metrics"] for row in result["rows"]]
    assert other["choices"] == result["choices"]


def test_files_of_a_glob_with_canonical_names(tmp_path: Path) -> None:
    names = {"u": "user_id", "i": "item_id", "ts": "occurred_at"}
    frame = mall.log().query("kind == 'buy'").rename(columns=names)[list(names.values())]
    half = len(frame) // 2
    frame[:half].to_parquet(tmp_path / "e1.parquet")
    frame[half:].to_parquet(tmp_path / "e2.parquet")
    result = run(mall.config(tmp_path, "path: e*.parquet", TEMPORAL, "seen: exclude"))
    rows = check(result, tmp_path)
    assert result["interactions"] == len(frame)
    assert "personal_frequency" not in rows
    assert "popular" in rows


def test_sequences_leave_one_out(tmp_path: Path) -> None:
    mall.write(mall.log(), tmp_path / "s.txt.gz")
    result = run(mall.config(tmp_path, "sequences: s.txt.gz", "{kind: leave_one_out}", "seen: exclude"))
    check(result, tmp_path)
    assert result["clock"] == "ordered"
    assert result["test_users"] == mall.USERS


def given(folder: Path, pairs: pd.DataFrame, times: bool, seen: str = "exclude") -> Path:
    log = mall.log()
    known = log[log["ts"] < pd.Timestamp("2021-04-03", tz="UTC")]
    known.to_parquet(folder / "e.parquet", index=False)
    pairs.to_parquet(folder / "test.parquet", index=False)
    columns = mall.COLUMNS if times else mall.COLUMNS.replace("occurred_at: ts, ", "")
    interactions = f"path: e.parquet\n  columns: {columns}\n  event_map: {{buy: purchase}}"
    return mall.config(folder, interactions, "{kind: given, test: test.parquet}", f"seen: {seen}")


def later_pairs() -> pd.DataFrame:
    log = mall.log()
    late = log[(log["ts"] >= pd.Timestamp("2021-04-03", tz="UTC")) & (log["kind"] == "buy")]
    return late.rename(columns={"u": "user_id", "i": "item_id"})[["user_id", "item_id"]].drop_duplicates()


@pytest.mark.parametrize("times", [True, False])
def test_given_pairs(tmp_path: Path, times: bool) -> None:
    result = run(given(tmp_path, later_pairs(), times, "include"))
    check(result, tmp_path)
    assert result["clock"] == ("timed" if times else "none")
    assert result["test_users"] == later_pairs()["user_id"].nunique()


def test_a_user_whom_nobody_knows_stays_in_the_test(tmp_path: Path) -> None:
    pairs = pd.concat([later_pairs(), pd.DataFrame({"user_id": ["stranger"], "item_id": [1001]})])
    result = run(given(tmp_path, pairs, True, "include"))
    assert result["test_users"] == pairs["user_id"].nunique()
    assert result["slices"]["history 0"]["users"] == 1


def test_mistakes_end_before_the_work_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such configuration file"):
        run(tmp_path / "bench.yaml")
    with pytest.raises(UnreadableSourceError, match=r"e\.parquet: no such file"):
        run(mall.config(tmp_path, "path: e.parquet", TEMPORAL))
    mall.write(mall.log(), tmp_path / "e.parquet")
    with pytest.raises(InputError, match="'when'"):
        run(mall.config(tmp_path, "path: e.parquet\n  columns: {user_id: u, item_id: i, occurred_at: when}", TEMPORAL))


def lists_of(folder: Path, log: pd.DataFrame, seen: str) -> dict[str, list[str]]:
    """What the pipeline recommends to every test user, by external id."""
    mall.write(log, folder / "e.parquet")
    path = mall.config(folder, f"path: e.parquet\n  {mall.MAPPED}", TEMPORAL, f"seen: {seen}")
    asked = prepare(load_config(RecommendBench, path), folder, datetime(2021, 6, 1, tzinfo=UTC)).question
    fitted = fit_recommender(asked.fold.train, asked.split, QUICK, budget_minutes=0.2)
    histories = asked.fold.histories()
    ranked = fitted.recommender.recommend(histories, 10, exclude_seen=seen == "exclude").lists(len(histories), 10)
    users, items = asked.fold.train.users, asked.fold.train.items
    return {users.id(u): items.ids(row[row >= 0]) for u, row in zip(asked.fold.users, ranked, strict=True) if u >= 0}


@pytest.mark.parametrize("seen", ["include", "exclude"])
def test_the_pipeline_does_not_look_at_the_test(tmp_path: Path, seen: str) -> None:
    log = mall.log()
    future = log["ts"] >= pd.Timestamp("2021-04-03", tz="UTC")
    changed = log.copy()
    # Other users, other items (some that nobody knew), other amounts: everything after the cut-off is different.
    changed.loc[future, "i"] = np.random.default_rng(5).integers(990, 1060, int(future.sum()))
    changed.loc[future, "value"] = 99.0
    newcomers = log[future].assign(u=lambda frame: "new-" + frame["u"], i=7)
    changed = pd.concat([changed, newcomers])
    before, after = lists_of(tmp_path, log, seen), lists_of(tmp_path, changed, seen)
    common = set(before) & set(after)
    assert len(common) > 40
    assert {u: before[u] for u in common} == {u: after[u] for u in common}
