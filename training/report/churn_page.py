"""The churn page: sentences and charts poured into the template, one file without anything beside it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from training.report import churn_story as story
from training.report.page import environment, write_page

_WIDTH: Final = 600
_HEIGHT: Final = 260


def render_churn(result: Mapping[str, Any]) -> str:
    """The page of a churn result (``name``, ``run_at``, ``commit`` and ``cutoffs``) as HTML; computes nothing.

    The newest cut-off stands first and is told in full. No script, no address: it can be mailed and opened anywhere.
    """
    cutoffs = sorted(result["cutoffs"], key=lambda cutoff: cutoff["cutoff"], reverse=True)
    return (
        environment()
        .get_template("churn.html")
        .render(result=result, cutoffs=[_told(cutoff) for cutoff in cutoffs], story=story, width=_WIDTH, height=_HEIGHT)
    )


def write_churn_report(result: Mapping[str, Any], path: Path) -> None:
    """Write the page of ``result`` to ``path``, whole or not at all."""
    write_page(render_churn(result), path)


def _told(cutoff: Mapping[str, Any]) -> dict[str, Any]:
    profit = cutoff["profit"]
    values = [*profit["mean"], *profit["low"], 0.0]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    rates = cutoff["reliability"]
    return {
        **cutoff,
        "board": _board(cutoff["standings"]),
        "dots": [_point(row["predicted"], row["observed"]) for row in rates],
        "band": [_point(r["predicted"], r["high"]) for r in rates]
        + [_point(r["predicted"], r["low"]) for r in rates[::-1]],
        "gain_line": _line([row["share"] for row in cutoff["gain"]], [row["found"] for row in cutoff["gain"]]),
        "profit_lines": {
            name: _line(profit["share"], [(value - low) / span for value in profit[name]]) for name in ("mean", "low")
        },
        "profit_zero": round(_HEIGHT * (1 + low / span), 1),
        "profit_best": max(profit["mean"]),
        "groups": [(story.group(name), part) for name, part in cutoff["slices"].items()],
        "tier_edges": _edges(cutoff["tiers"]),
    }


def _edges(tiers: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """Where red and yellow end, along the share of users contacted."""
    total = sum(tier["users"] for tier in tiers) or 1
    red, yellow = tiers[0]["users"], tiers[0]["users"] + tiers[1]["users"]
    return [("red", round(_WIDTH * red / total, 1)), ("yellow", round(_WIDTH * yellow / total, 1))]


def _board(standings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    best = sorted(standings, key=lambda row: (-row["value"], row["model"]))
    shown = [row for row in best if all(_finite(row[part]) for part in ("value", "low", "high"))]
    if not shown:
        return []
    start, end = min(row["low"] for row in shown), max(row["high"] for row in shown)
    span = (end - start) * 1.12 or 1.0
    left = start - span * 0.05
    at = {part: [round(_WIDTH * (row[part] - left) / span, 1) for row in shown] for part in ("value", "low", "high")}
    return [
        {"name": story.model(row["model"]), "kind": row["kind"], "auc": row["value"], "at": at["value"][i],
         "low": at["low"][i], "high": at["high"][i]}
        for i, row in enumerate(shown)
    ]  # fmt: skip


def _line(x: Sequence[float], y: Sequence[float]) -> str:
    return " ".join(",".join(map(str, _point(a, b))) for a, b in zip(x, y, strict=True))


def _point(x: float, y: float) -> tuple[float, float]:
    return round(_WIDTH * x, 1), round(_HEIGHT * (1 - y), 1)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
