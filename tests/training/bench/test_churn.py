"""Churn benchmarks from file to result."""

import html
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.contracts.errors import InputError, NotEnoughDataError
from features.simulator import make_world, simulate
from training.bench.churn import bench_churn
from training.bench.report import table, write_result
from training.models.churn_config import ChurnConfig
from training.models.churn_fallback import Rule
from training.report import render_churn
from training.report.churn_story import RULES

QUICK = ChurnConfig.model_validate(
    {"snapshots": {"most": 2}, "boosting": {"leaves": [7], "rounds": [20], "members": 1, "threads": 1}}
)
START = pd.Timestamp("2020-01-01", tz="UTC")


def purchases(seed: int = 3, users: int = 300, days: int = 300) -> pd.DataFrame:
    """Users with a pace each, some of whom stop for good; no items."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        day, pace, stop = rng.integers(0, 60), rng.uniform(4, 30), rng.integers(60, 500)
        while day < min(days, stop):
            rows.append((user, START + pd.Timedelta(days=int(day), hours=12), rng.uniform(5, 50)))
            day += max(1, int(rng.exponential(pace)))
    return pd.DataFrame(rows, columns=["u", "ts", "value"])


def config(folder: Path, cutoffs: str = "[2020-08-01]", horizon: str = "30d") -> Path:
    path = folder / "churn.yaml"
    path.write_text(
        "name: small-churn\n"
        "interactions: {path: e.csv, columns: {user_id: u, occurred_at: ts, amount: value}}\n"
        f"label: {{event: purchase, horizon: {horizon}}}\n"
        "population: {min_events: 1, active_within: null}\n"
        f"cutoffs: {cutoffs}\n",
        encoding="utf-8",
    )
    return path


def by_model(cutoff: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in cutoff["rows"]}


CUTOFF = pd.Timestamp("2020-08-01", tz="UTC")
WINDOW = pd.Timedelta(days=30)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("churn")
    purchases().to_csv(folder / "e.csv", index=False)
    return bench_churn(config(folder), QUICK)


def test_counts_and_base_rate_are_those_of_the_log(result: dict[str, Any]) -> None:
    log = purchases()
    assert (result["users"], result["interactions"]) == (log["u"].nunique(), len(log))
    (cutoff,) = result["cutoffs"]
    known = set(log.loc[log["ts"] < CUTOFF, "u"])
    window = (log["ts"] >= CUTOFF) & (log["ts"] < CUTOFF + WINDOW)
    assert cutoff["cutoff"] == "2020-08-01"
    assert cutoff["eligible"] == len(known)
    assert cutoff["base_rate"] == pytest.approx(1 - len(known & set(log.loc[window, "u"])) / len(known))


def test_model_and_baselines_are_judged_and_compared(result: dict[str, Any], tmp_path: Path) -> None:
    (cutoff,) = result["cutoffs"]
    rows = by_model(cutoff)
    assert [name for name, row in rows.items() if row["kind"] == "pipeline"] == ["churn"]
    assert {"recency", "rfm_logistic", "bg_nbd"} < set(rows)
    for row in rows.values():
        assert set(row["metrics"]) >= {"auc", "pr_auc", "log_loss", "brier", "ece", "lift@10%"}
        assert row["seconds"] > 0
        assert row["peak_mb"] > 10
    best = max(row["metrics"]["auc"] for row in rows.values() if row["kind"] == "baseline")
    paired = cutoff["paired"]
    assert paired["metric"] == "auc"
    assert rows[paired["against"]]["metrics"]["auc"] == best
    assert paired["mean"] == pytest.approx(rows["churn"]["metrics"]["auc"] - best)
    assert paired["low"] <= paired["mean"] <= paired["high"]
    assert "cut-off 2020-08-01" in table(result)
    write_result(result, tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["cutoffs"]


def test_groups_calibration_profit_reasons_and_their_stability_are_told(result: dict[str, Any]) -> None:
    (cutoff,) = result["cutoffs"]
    groups = cutoff["slices"]
    assert all("refused" in part or part["metrics"]["brier"] > 0 for part in groups.values())
    assert {part["kind"] for part in groups.values()} == {"segment"}
    assert sum(part["users"] for name, part in groups.items() if name.startswith("stage")) == cutoff["eligible"]
    assert sum(row["users"] for row in cutoff["reliability"]) == cutoff["eligible"]
    assert sum(tier["users"] for tier in cutoff["tiers"]) == cutoff["eligible"]
    assert cutoff["gain"][-1] == {"share": 1.0, "found": 1.0}
    assert 0.5 < cutoff["stability"]["seeds"] <= 1.0
    horizons = {part["days"]: part for part in cutoff["horizons"]}
    assert cutoff["horizon_days"] in horizons
    own = horizons[cutoff["horizon_days"]]
    assert own["left"] == pytest.approx(cutoff["base_rate"])
    assert own["metrics"]["auc"] == pytest.approx(cutoff["rows"][0]["metrics"]["auc"])
    assert len(horizons) > 1
    assert [part["left"] for part in cutoff["horizons"]] == sorted((p["left"] for p in horizons.values()), reverse=True)
    assert all(0 < reason["share"] <= 1 and reason["example"]["zh"] for reason in cutoff["reasons"])
    assert cutoff["reasons"]


def test_the_page_shows_every_model_and_group_in_both_languages(result: dict[str, Any]) -> None:
    page = render_churn(result)
    assert "<script" not in page
    assert "http" not in page
    assert "No churn model can be fitted" not in page
    for text in ("purchase rhythm", "购买节奏", "stage: active", "阶段：活跃", "Whom to contact"):
        assert text in page


def test_what_comes_after_the_label_window_changes_nothing(result: dict[str, Any], tmp_path: Path) -> None:
    log = purchases()
    log[log["ts"] < CUTOFF + WINDOW].to_csv(tmp_path / "e.csv", index=False)
    shorter = by_model(bench_churn(config(tmp_path), QUICK)["cutoffs"][0])
    for name, row in by_model(result["cutoffs"][0]).items():
        assert shorter[name]["metrics"] == pytest.approx(row["metrics"])


def test_a_cutoff_outside_the_log_is_said(tmp_path: Path) -> None:
    purchases().to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(NotEnoughDataError, match="2030-01-01: the last event"):
        bench_churn(config(tmp_path, "[2030-01-01]"), QUICK)
    with pytest.raises(NotEnoughDataError, match="2019-01-01: there is no event before it"):
        bench_churn(config(tmp_path, "[2019-01-01]"), QUICK)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    purchases().rename(columns={"ts": "when"}).to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(InputError, match="'ts'"):
        bench_churn(config(tmp_path), QUICK)


def test_a_short_history_is_judged_with_a_fallback_that_is_named(tmp_path: Path) -> None:
    purchases().to_csv(tmp_path / "e.csv", index=False)
    result = bench_churn(config(tmp_path, "[2020-02-25]"), QUICK)  # 55 days, a horizon of 30
    (cutoff,) = result["cutoffs"]
    assert cutoff["choices"]["fallback"]
    reason = cutoff["choices"]["fallback_reason"]
    assert reason["en"].startswith("history is too short")
    assert reason["zh"].startswith("历史太短")
    page = html.unescape(render_churn(result))
    assert f"No churn model can be fitted yet: {reason['en']}." in page
    assert f"暂时无法训练流失模型：{reason['zh']}。" in page
    assert RULES[cutoff["choices"]["fallback_rule"]].zh in page
    assert set(RULES) == set(Rule)
    assert by_model(cutoff)["churn"]["metrics"]["auc"] >= 0.5
    assert cutoff["horizons"][0]["days"] <= cutoff["horizon_days"]


def test_a_simulated_mall_has_an_oracle(tmp_path: Path) -> None:
    mall = tmp_path / "mall"
    simulate(make_world(users=1_500, items=200, days=140, seed=3), mall)
    path = tmp_path / "churn.yaml"
    path.write_text(
        "name: mall-churn\n"
        "interactions: {path: mall/events/*.parquet}\n"
        "items: {path: mall/items.parquet}\n"
        "label: {event: purchase, horizon: 30d}\n"
        "cutoffs: [2025-04-16]\n"  # six eighths of the days: there the truth is told
        "truth: mall\n",
        encoding="utf-8",
    )
    [cutoff] = bench_churn(path, QUICK)["cutoffs"]
    oracle = cutoff["oracle"]
    assert oracle["users"] > 300
    assert oracle["users_without_truth"] < oracle["users"] / 5
    # Nobody ranks better than who knows the truth, but for chance.
    assert 0.5 < oracle["share"] < 1.05
    assert oracle["metrics"]["log_loss"] < oracle["pipeline"]["log_loss"]
    assert 0 < oracle["coverage"]["covered"] <= 1
    assert oracle["coverage"]["level"] == cutoff["coverage"]["level"] == 0.9
    assert "of the oracle's AUC beyond a half" in table({"cutoffs": [cutoff], "name": "m", "users": 1,
                                                        "interactions": 1, "commit": "", "machine": ""})  # fmt: skip


def test_truth_of_another_label_is_refused(tmp_path: Path) -> None:
    path = config(tmp_path)
    path.write_text(
        path.read_text(encoding="utf-8").replace("horizon: 30d}", "horizon: 30d, gap: 7d}") + "truth: mall\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="no gap, no own_rhythm"):
        bench_churn(path, QUICK)
