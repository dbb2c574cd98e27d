"""``mallard monitor``: is the churn model still right?"""

from pathlib import Path

import click

from features.contracts.config import load_config
from serving.cli.command import command, pass_session
from serving.cli.session import Session, as_json
from serving.monitoring import MonitorReport, monitor
from training.monitoring import Finding, Level, MonitorConfig
from training.report import write_monitor_page
from training.report.page import write_page


@command(
    "monitor", example="mallard monitor\nmallard monitor --page monitor.html --out monitor.json || echo look at it"
)
@click.option("--snapshot", metavar="ID", help="The scores to judge. Default: the newest.")
@click.option("--season/--no-season", default=True, help="Compare with the same day of last year, too.")
@click.option("--page", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML page for people.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write everything as JSON.")
@pass_session
def watch(session: Session, snapshot: str | None, page: Path | None, out: Path | None, *, season: bool) -> int:
    """Say whether the scores can still be trusted, and whether to train again.

    Compares what the model reads and what it says with training and with last year, and judges older scores by what
    happened. Bounds stand in configs/monitor.yaml. Exit code: 0 fine, 10 blue (worth a look), 11 yellow (train again
    soon), 12 red (do not act on the scores before somebody has looked).
    """
    home = session.home
    config = load_config(MonitorConfig, home.configs / "monitor.yaml", optional=True)
    report = monitor(home, config, snapshot, season=season)
    document = report.to_json()
    if out is not None:
        write_page(as_json(document), out)
    if page is not None:
        write_monitor_page(document, page)
    session.answer(document, _text(report))
    return int(report.level)


def _text(report: MonitorReport) -> str:
    lines = [
        f"{report.level.name.lower()}: {report.users:,} users as of {report.as_of[:16]} by {report.model_version}",
        *map(_line, sorted(report.findings, key=lambda finding: -finding.level)),
        *(f"{'':<7} {note.text}" for note in report.notes),
    ]
    asking = report.retrain
    lines.append(f"train again: yes, {asking[0].text}" if asking else "train again: no need seen")
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    mark = "" if finding.level is Level.FINE else finding.level.name.lower()
    return f"{mark:<7} {finding.text}"
