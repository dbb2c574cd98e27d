"""What a benchmark writes and prints, and what it knows of its cost and its origin."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.bench.measure import Cost, Meter
from training.bench.provenance import code_version, machine
from training.bench.report import table, write_result

PAIRED = {"metric": "ndcg@10", "against": "covisit", "mean": 0.02, "low": 0.01, "high": 0.03}


def row(model: str, kind: str, value: float) -> dict[str, Any]:
    return {"model": model, "kind": kind, "metrics": {"ndcg@10": value, "hit@10": 0.5}, "seconds": 1.0, "peak_mb": 90.0}


def result() -> dict[str, Any]:
    return {
        "name": "my-mall",
        "users": 10,
        "items": 4,
        "interactions": 1234,
        "test_users": 5,
        "commit": "abc1234",
        "machine": "a machine",
        "rows": [row("popular", "baseline", 0.1), row("pipeline", "pipeline", 0.3), row("covisit", "source", 0.2)],
        "paired": PAIRED,
        "slices": {"history 1-4": {"users": 3, "pipeline": 0.3, "rival": 0.2, "mean": 0.1, "low": 0.0, "high": 0.2}},
        "choices": {},
    }


def test_table_ranks_the_rows_and_gives_the_verdict() -> None:
    text = table(result())
    assert text.index("pipeline  ") < text.index("covisit") < text.index("popular")
    assert "1,234 interactions" in text
    assert "pipeline against covisit, ndcg@10: +0.0200 [+0.0100, +0.0300] (95 %, paired by user): better" in text
    assert "history 1-4 (3 users)" in text
    assert text.endswith("commit abc1234, a machine")


def test_churn_table_has_every_cutoff() -> None:
    metrics = dict.fromkeys(("auc", "pr_auc", "log_loss", "brier", "ece", "lift@10%"), 0.5)
    rows = [{"model": "churn", "kind": "pipeline", "metrics": metrics, "seconds": 1.0, "peak_mb": 1.0}]
    paired = {"metric": "auc", "against": "recency", "mean": -0.2, "low": -0.3, "high": -0.1}
    cutoffs = [
        {"cutoff": day, "eligible": 1000, "base_rate": 0.4, "rows": rows, "paired": paired}
        for day in ("1997-12-31", "1998-03-31")
    ]
    text = table({**result(), "cutoffs": cutoffs})
    assert "cut-off 1997-12-31: 1,000 eligible users, base rate 0.4000" in text
    assert text.count("worse") == 2


def test_result_is_written_whole_and_numbers_that_are_none_become_null(tmp_path: Path) -> None:
    path = tmp_path / "new" / "result.json"
    write_result({"a": float("nan"), "b": [1.5, float("inf")], "c": "买"}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": None, "b": [1.5, None], "c": "买"}


def test_a_failed_write_leaves_the_old_result(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_result({"a": 1}, path)
    with pytest.raises(TypeError):
        write_result({"a": object()}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_meter_sees_memory_that_is_gone_at_the_end() -> None:
    with Meter() as quiet:
        pass
    with Meter() as busy:
        block = np.ones(12_000_000)
        for _ in range(5):
            block += 1
        del block
    assert busy.cost.seconds > quiet.cost.seconds >= 0
    assert busy.cost.peak_mb > quiet.cost.peak_mb + 60


def test_costs_add_in_sequence() -> None:
    assert Cost(1.0, 50.0) + Cost(2.0, 40.0) == Cost(3.0, 50.0)


def test_commit_is_read_without_git(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text("# pack-refs\n1111111aaaa refs/heads/main\n")
    assert code_version(tmp_path) == "1111111"
    (git / "refs" / "heads" / "main").write_text("2222222bbbb\n")
    assert code_version(tmp_path) == "2222222"
    (git / "HEAD").write_text("3333333cccc\n")
    assert code_version(tmp_path) == "3333333"


def test_an_installation_outside_a_repository_gives_its_version(tmp_path: Path) -> None:
    assert code_version(tmp_path)
    assert "Python" in machine()
