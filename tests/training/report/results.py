"""A recommendation result as ``result.json`` has it, small enough to be read."""

from typing import Any

K = 10
RIVAL = "personal_frequency_then_popular"


def row(model: str, kind: str, recall: float) -> dict[str, Any]:
    names = ("ndcg", "recall", "hit", "mrr", "coverage", "novelty", "gini", "head_share")
    metrics = {f"{name}@{K}": 0.5 for name in names} | {f"recall@{K}": recall, f"popularity_bias@{K}": -0.031}
    return {"model": model, "kind": kind, "metrics": metrics, "seconds": 1.0, "peak_mb": 90.0}


def standing(model: str, kind: str, value: float, wide: float = 0.01) -> dict[str, Any]:
    return {"model": model, "kind": kind, "value": value, "low": value - wide, "high": value + wide}


def entry(title: str, **evidence: Any) -> dict[str, Any]:
    usual = {"taken": False, "source": "als", "because": None, "times": 0, "every_days": None, "days_ago": None}
    return {"title": title, **usual, **evidence}


def cold_start() -> dict[str, Any]:
    """Newcomers to whom the session is of use and the context is not shown to be; few who logged in."""
    no, yes = {"mean": 0.01, "low": -0.01, "high": 0.03}, {"mean": 0.1, "low": 0.05, "high": 0.3}
    return {
        "new users": {
            "users": 1500,
            "metric": f"ndcg@{K}",
            "ways": {
                "pipeline": {"nothing": 0.2, "context": 0.21, "context and session": 0.3},
                "trending": {"nothing": 0.1, "context": 0.1, "context and session": 0.1},
            },
            "gains": {
                "pipeline": {"context": no, "context and session": yes},
                "trending": {"context": no, "context and session": no},
            },
        },
        "merged at login": {
            "users": 29,
            "metric": f"ndcg@{K}",
            "ways": {"pipeline": {"without the visit": 0.1, "with the visit": 0.2}},
            "gains": {"pipeline": {"with the visit": yes}},
        },
    }


def result(mean: float = 0.018, low: float = 0.012, high: float = 0.024) -> dict[str, Any]:
    """The pipeline's recall is ``mean`` above 0.2, within ``low`` and ``high``."""
    paired = {"metric": f"ndcg@{K}", "against": RIVAL, "mean": 0.02, "low": 0.01, "high": 0.03}
    part = {"users": 1200, "metric": f"ndcg@{K}", "against": RIVAL, "pipeline": 0.2, "rival": 0.4, "mean": -0.2}
    return {
        "name": "my-mall",
        "users": 12_345,
        "items": 400,
        "interactions": 99_000,
        "test_users": 1200,
        "commit": "abc1234",
        "run_at": "2026-01-02T03:04:05+00:00",
        "target": ["purchase"],
        "rows": [row("pipeline", "pipeline", 0.2 + mean), row(RIVAL, "baseline", 0.2), row("als", "source", 0.1)],
        "paired": paired,
        "found": {"metric": f"recall@{K}", "against": RIVAL, "mean": mean, "low": low, "high": high},
        "standings": [
            standing("pipeline", "pipeline", 0.4),
            standing(RIVAL, "baseline", 0.3, 0.0),
            standing("als", "source", 0.1),
        ],
        "slices": {
            "history 0": {**part, "low": -0.3, "high": -0.1},
            "history 5-19": {**part, "low": -0.3, "high": 0.1},
            "items without events": {**part, "low": 0.1, "high": 0.2},
            "category TEA & <CAKE>": {**part, "low": 0.0, "high": 0.2},
        },
        "cold_start": cold_start(),
        "truth": {"pairs": 5000, "of_unknown_items": 41},
        "examples": [
            {
                "events": 9,
                "before": ["milk"],
                "taken": 2,
                "list": [
                    entry("milk <b>", taken=True, times=3, every_days=7.2, days_ago=1.4),
                    entry("bread", times=1),
                    entry("butter", because="bread"),
                    entry("jam"),
                    entry("tea", source="unheard-of"),
                ],
            }
        ],
        "choices": {
            "ranks": "ranker",
            "ranker_against": {"model": "blend", "mean": 0.01, "low": 0.001, "high": 0.02},
            "sources": {"als": {"kept": True}, "trending": {"kept": False}},
            "importance": {"blend_score": 3.0},
        },
        "validation": [{"model": "als", "kind": "source", f"ndcg@{K}": 0.1}],
    }
