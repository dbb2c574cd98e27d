"""``mallard traffic``: fake orders and clicks."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import click

from features.contracts.config import load_config
from features.contracts.errors import InputError
from features.contracts.home import Home
from features.lake import Lake
from features.traffic import RULES, Line, Marked, Score, TrafficConfig
from features.traffic import evaluate as score_marks
from features.traffic import mark as mark_lake
from features.traffic import report as count_marks
from features.traffic.forest import MEANING, NAME
from features.traffic.report import ANY
from serving.cli.command import command, group, pass_session
from serving.cli.session import Session, columns

since_option = click.option("--since", metavar="DATE", help="Only days from this one on (UTC). Default: all.")


def mark_all(home: Home, since: date | None = None) -> Marked:
    """Judge every day of the lake whose marks could have changed, by the house's configuration."""
    config = load_config(TrafficConfig, home.configs / "traffic.yaml", optional=True)
    return mark_lake(Lake(home), config, now=datetime.now(UTC), since=since)


@command("mark", example="mallard traffic mark")
@since_option
@pass_session
def mark(session: Session, since: str | None) -> None:
    """Mark fake traffic on the days that are new or could have changed. Marked events stay in the lake."""
    marked = mark_all(session.home, _day(since))
    events = sum(day.rows for day in marked.judged)
    document = {"days": marked.days, "judged": [day.model_dump(mode="json") for day in marked.judged]}
    text = f"judged {len(marked.judged):,} of {marked.days:,} days; they hold {events:,} marks"
    session.answer(document, f"{text}\nSee what was found: mallard traffic report")


@command("report", example="mallard traffic report --since 2025-03-01")
@since_option
@pass_session
def report(session: Session, since: str | None) -> None:
    """Show how many events and users each rule marked, by day."""
    lines = count_marks(Lake(session.home), _day(since))
    meanings = {name: rule.meaning for name, rule in RULES.items()} | {NAME: MEANING, ANY: "any of these"}
    by_day = [[str(e.day), e.rule, e.events, e.users, f"{e.share:.3%}"] for e in lines]
    totals = [[rule, sum(e.events for e in mine), len(mine), meanings.get(rule, "a rule that is no more")]
              for rule, mine in _by_rule(lines).items()]  # fmt: skip
    if not lines:
        session.answer([], "nothing is marked")
        return
    text = f"{columns(['day', 'rule', 'events', 'users', 'share of events'], by_day)}\n\n"
    session.answer([asdict(line) for line in lines], text + columns(["rule", "events", "days", "meaning"], totals))


@command("evaluate", example="mallard traffic evaluate var/malls/small/truth/fraud.parquet")
@click.argument("truth", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def evaluate(session: Session, truth: Path) -> None:
    """Measure the marks against TRUTH, the Parquet file of fake events (event_id, kind) of a simulated mall.

    Recall is the share of fake events that are marked, precision the share of marked events that are fake. Marks name
    rules and truths name kinds, so a rule has a precision, a kind a recall, and all together both.
    """
    scores = score_marks(Lake(session.home), truth)
    rows = [[s.what, s.name, _or_dash(s.marked), _or_dash(s.fake), s.hit, _or_dash(s.precision), _or_dash(s.recall)]
            for s in scores]  # fmt: skip
    document = [_document(each) for each in scores]
    session.answer(document, columns(["", "name", "marked", "fake", "both", "precision", "recall"], rows))


def _document(score: Score) -> dict[str, object]:
    return asdict(score) | {"precision": score.precision, "recall": score.recall}


def _by_rule(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.rule, []).append(line)
    return dict(sorted(found.items()))


def _or_dash(value: float | None) -> object:
    return "-" if value is None else value


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--since '{text}' is no day such as 2025-03-01") from error


traffic = group("traffic", "Find fake orders and clicks.", mark, report, evaluate)
