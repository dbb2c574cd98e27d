"""A benchmark's result as a file for machines and as a table for people."""

import json
import math
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_RECOMMEND_COLUMNS = ("ndcg", "hit", "recall", "mrr", "map", "coverage", "novelty")
_VALUE_COLUMNS = ("gini", "spearman", "mae", "rmsle", "deviance", "level", "decile_error")
_UPLIFT_COLUMNS = ("qini", "uplift@30%")
_CHURN_COLUMNS = ("auc", "pr_auc", "log_loss", "brier", "ece", "lift@10%", "emp")


def write_result(result: dict[str, Any], path: Path) -> None:
    """Write ``result`` to ``path`` as JSON, whole or not at all. A number that is not finite becomes ``null``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        staging.write_text(
            json.dumps(_finite(result), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


def table(result: dict[str, Any]) -> str:
    """The rows of a result, best first, and the paired comparison, as plain text."""
    if "mean_effect" in result:
        return _uplift(result)
    if "cutoffs" in result:
        return "\n\n".join([_churn_heading(result), *(_churn_cutoff(cutoff) for cutoff in result["cutoffs"])])
    if "times_pandas" in result:
        return _tags(result)
    return _recommendation(result)


def _recommendation(result: dict[str, Any]) -> str:
    metric = result["paired"]["metric"]
    k = metric.rsplit("@", 1)[1]
    columns = [f"{name}@{k}" for name in _RECOMMEND_COLUMNS]
    rows = sorted(result["rows"], key=lambda row: -row["metrics"][metric])
    lines = [
        f"{result['name']}: {result['users']:,} users, {result['items']:,} items, "
        f"{result['interactions']:,} interactions, {result['test_users']:,} test users",
        *_aligned(columns, rows),
        _verdict(result["paired"]),
    ]
    for name, part in result["slices"].items():
        lines.append(
            f"  {name} ({part['users']:,} users): {part['pipeline']:.4f} against {part['rival']:.4f}, "
            f"difference {part['mean']:+.4f} [{part['low']:+.4f}, {part['high']:+.4f}]"
        )
    if "oracle" in result:
        lines.append(_oracle(result["oracle"]))
    return "\n".join([*lines, _origin(result)])


def _oracle(account: dict[str, Any]) -> str:
    lost = ", ".join(f"{reason.replace('_', ' ')} {value:.4f}" for reason, value in account["lost_to"].items())
    return (
        f"{account['share']:.1%} of what the oracle reaches ({account['pipeline']:.4f} of {account['oracle']:.4f}, "
        f"{account['users']:,} users); the rest of 1 is lost to {lost}"
    )


def _tags(result: dict[str, Any]) -> str:
    width = max(len(row["model"]) for row in result["rows"])
    lines = [
        f"{result['users']:,} users, {result['events']:,} events, {result['tags']} tags; "
        f"{result['new_events']:,} events on the next day",
        f"{'':<{width}} {'seconds':>9} {'peak MB':>9} {'x scan':>8} {'values/s':>12}",
    ]
    for row in result["rows"]:
        scans = f"{row['times_the_scan']:.1f}" if "times_the_scan" in row else "-"
        rate = f"{row['values_per_second']:,.0f}" if "values_per_second" in row else "-"
        lines.append(f"{row['model']:<{width}} {row['seconds']:>9.1f} {row['peak_mb']:>9,.0f} {scans:>8} {rate:>12}")
    lines.append(
        f"{result['times_pandas']:.1f} times the rate of pandas; "
        f"{result['values_that_differ_from_pandas']} of its values differ from the build's"
    )
    return "\n".join([*lines, _origin(result)])


def _churn_heading(result: dict[str, Any]) -> str:
    return f"{result['name']}: {result['users']:,} users, {result['interactions']:,} events\n{_origin(result)}"


def _churn_cutoff(cutoff: dict[str, Any]) -> str:
    if "mean_spend" in cutoff:
        return _value_window(cutoff)
    rows = sorted(cutoff["rows"], key=lambda row: -_sortable(row["metrics"]["auc"]))
    heading = f"cut-off {cutoff['cutoff']}: {cutoff['eligible']:,} eligible users, base rate {cutoff['base_rate']:.4f}"
    told = [_churn_group(name, part) for name, part in cutoff.get("slices", {}).items()]
    told += [_horizon(part) for part in cutoff.get("horizons", ())]
    told += [_outlook(cutoff["choices"]["outlook"])] if "outlook" in cutoff.get("choices", ()) else []
    told += [_coverage("intervals", cutoff["coverage"])] if "coverage" in cutoff else []
    told += [_churn_oracle(cutoff["oracle"])] if "oracle" in cutoff else []
    return "\n".join([heading, *_aligned(_CHURN_COLUMNS, rows), _verdict(cutoff["paired"]), *told])


def _horizon(part: dict[str, Any]) -> str:
    return (
        f"  within {part['days']:g} days: {part['left']:.1%} left, {part['foretold']:.1%} foretold, "
        f"auc {part['metrics']['auc']:.4f}, ece {part['metrics']['ece']:.3f}"
    )


def _outlook(outlook: dict[str, Any]) -> str:
    evidence = outlook["evidence"].replace("_", " ")
    return f"  base rate of the window foretold from {evidence}: {outlook['shift']:+.3f} log-odds"


def _coverage(whose: str, found: dict[str, Any]) -> str:
    return (
        f"  {whose} of {found['level']:.0%} cover the rate of {found['covered']:.1%} of {found['groups']} groups of "
        f"users alike, mean width {found['width']:.3f}"
    )


def _churn_oracle(oracle: dict[str, Any]) -> str:
    best, ours = oracle["metrics"], oracle["pipeline"]
    return (
        f"  {oracle['share']:.1%} of the oracle's AUC beyond a half ({ours['auc']:.4f} of {best['auc']:.4f}, "
        f"log-loss {ours['log_loss']:.4f} of {best['log_loss']:.4f}, {oracle['users']:,} users)\n"
        + _coverage("of the true rates: intervals", oracle["coverage"])
    )


def _churn_group(name: str, part: dict[str, Any]) -> str:
    if "refused" in part:
        return f"  {name}: not judged, {part['refused']}"
    low, high = part["intervals"]["auc"]
    return (
        f"  {name} ({part['users']:,} users): auc {part['metrics']['auc']:.4f} [{low:.4f}, {high:.4f}], "
        f"ece {part['metrics']['ece']:.3f}, bias {part['bias']:+.3f}"
    )


def _value_window(window: dict[str, Any]) -> str:
    rows = sorted(window["rows"], key=lambda row: -_sortable(row["metrics"]["gini"]))
    lines = [
        f"cut-off {window['cutoff']}, {window['horizon_days']} days: {window['eligible']:,} eligible users, "
        f"{window['buyers']:.1%} buy, mean spend {window['mean_spend']:.2f}",
        *_aligned(_VALUE_COLUMNS, rows),
        _verdict(window["paired"]),
    ]
    if "oracle" in window:
        oracle = window["oracle"]
        lines.append(
            f"{oracle['share']:.1%} of the oracle's rank correlation ({oracle['pipeline']:.4f} of "
            f"{oracle['oracle']:.4f}, {oracle['users']:,} users); {oracle['with_truth']:.4f} with the truth itself"
        )
    return "\n".join(lines)


def _uplift(result: dict[str, Any]) -> str:
    mean = result["mean_effect"]
    lines = [
        f"{result['name']}: {result['users']:,} users, {result['test_users']:,} of them judge; mean effect "
        f"{mean['mean']:+.4f} [{mean['low']:+.4f}, {mean['high']:+.4f}]; {result['choices']['learner']}",
        *_aligned(_UPLIFT_COLUMNS, result["rows"]),
    ]
    for row in result["rows"]:
        parts = [f"{name} [{low:+.5f}, {high:+.5f}]" for name, (low, high) in row["intervals"].items()]
        lines.append(f"  {row['model']}: 95 % intervals {', '.join(parts)}")
    return "\n".join([*lines, _origin(result)])


def _aligned(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[str]:
    header = ["model", "kind", *columns, "seconds", "peak MB"]
    cells = [
        [
            row["model"],
            row["kind"],
            *(_number(row["metrics"].get(name)) for name in columns),
            f"{row['seconds']:.1f}",
            f"{row['peak_mb']:.0f}",
        ]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [header, *cells]) for i in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [header, *cells]
    ]


def _verdict(paired: dict[str, Any]) -> str:
    low, high = paired["low"], paired["high"]
    word = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
    return (
        f"pipeline against {paired['against']}, {paired['metric']}: {paired['mean']:+.4f} "
        f"[{low:+.4f}, {high:+.4f}] (95 %, paired by user): {word}"
    )


def _origin(result: dict[str, Any]) -> str:
    return f"commit {result['commit']}, {result['machine']}"


def _number(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:.4f}"


def _sortable(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else -math.inf


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
