"""The page: sentences and charts poured into the template, one file without anything beside it."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.report import story, words
from training.report.charts import leaderboard, pairs
from training.report.newcomers import newcomers


def render(result: Mapping[str, Any]) -> str:
    """The page of a recommendation result (the content of ``result.json``) as HTML.

    No script, no address: it can be mailed and opened anywhere. Titles of items are escaped.
    """
    metric = result["paired"]["metric"]
    k = metric.rsplit("@", 1)[1]
    return (
        environment()
        .get_template("recommend.html")
        .render(
            result=result,
            metric=metric,
            k=k,
            headline=story.headline(result),
            certainty=story.certainty(result),
            figures=story.figures(result),
            choices=story.choices(result),
            rival=words.model(result["paired"]["against"]),
            kinds=words.KINDS,
            board=leaderboard(result["standings"], result["paired"]["against"]),
            pairs=pairs(result["slices"]),
            newcomers=newcomers(result.get("cold_start", {})),
            examples=result["examples"],
            reason=words.reason,
            table=sorted(result["rows"], key=lambda row: -row["metrics"][metric]),
            columns=[f"{name}@{k}" for name in ("ndcg", "recall", "hit", "mrr", "coverage", "novelty", "gini")],
            percent=story.percent,
        )
    )


def write_report(result: Mapping[str, Any], path: Path) -> None:
    """Write the page of ``result`` to ``path``, whole or not at all."""
    write_page(render(result), path)


def environment() -> Environment:
    """Where the templates are; a name that a template lacks is an error, and text is escaped."""
    return Environment(
        loader=PackageLoader("training.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(page: str, path: Path) -> None:
    """Write text to ``path``, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        staging.write_text(page, encoding="utf-8")
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)
