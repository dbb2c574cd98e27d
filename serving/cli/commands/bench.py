"""``mallard bench``: measure against baselines on any data set that a YAML file describes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from serving.cli.command import command, group, pass_session
from serving.cli.session import Session
from training.bench.churn import bench_churn
from training.bench.recommend import bench_recommend
from training.bench.report import table, write_result
from training.bench.tags import bench_tags
from training.bench.uplift import bench_uplift
from training.bench.value import bench_value
from training.report import write_churn_report, write_report

_CONFIG = click.Path(dir_okay=False, path_type=Path)


def _measure(session: Session, measure: Callable[[Path], dict[str, Any]], config: Path, out: Path | None) -> None:
    result = measure(config)
    if out is not None:
        write_result(result, out)
    session.answer(result, table(result) + (f"\nwritten to {out}" if out else ""))


@command("recommend", example="mallard bench recommend benchmarks/complete_journey.yaml --report report.html")
@click.argument("config", type=_CONFIG)
@click.option("--out", type=_CONFIG, metavar="FILE", help="Also write the result there, as JSON.")
@click.option("--report", type=_CONFIG, metavar="FILE", help="Also write a page for people there, as HTML.")
@pass_session
def recommend(session: Session, config: Path, out: Path | None, report: Path | None) -> None:
    """Judge the pipeline, every source and every baseline on the data set of CONFIG."""

    def measure(file: Path) -> dict[str, Any]:
        result = bench_recommend(file)
        if report is not None:
            write_report(result, report)
        return result

    _measure(session, measure, config, out)


@command("churn", example="mallard bench churn benchmarks/cdnow_churn.yaml --report report.html")
@click.argument("config", type=_CONFIG)
@click.option("--out", type=_CONFIG, metavar="FILE", help="Also write the result there, as JSON.")
@click.option("--report", type=_CONFIG, metavar="FILE", help="Also write a page for people there, as HTML.")
@pass_session
def churn(session: Session, config: Path, out: Path | None, report: Path | None) -> None:
    """Judge the churn model and its baselines at every cut-off of CONFIG."""

    def measure(file: Path) -> dict[str, Any]:
        result = bench_churn(file)
        if report is not None:
            write_churn_report(result, report)
        return result

    _measure(session, measure, config, out)


@command("value", example="mallard bench value benchmarks/cdnow_value.yaml --out result.json")
@click.argument("config", type=_CONFIG)
@click.option("--out", type=_CONFIG, metavar="FILE", help="Also write the result there, as JSON.")
@pass_session
def value(session: Session, config: Path, out: Path | None) -> None:
    """Judge foretold spend against mean spend, last spend and BG/NBD with Gamma-Gamma at every cut-off of CONFIG."""
    _measure(session, bench_value, config, out)


@command("uplift", example="mallard bench uplift benchmarks/hillstrom_uplift.yaml --out result.json")
@click.argument("config", type=_CONFIG)
@click.option("--out", type=_CONFIG, metavar="FILE", help="Also write the result there, as JSON.")
@pass_session
def uplift(session: Session, config: Path, out: Path | None) -> None:
    """Judge foretold effects of contacting on held-out users of the experiment of CONFIG."""
    _measure(session, bench_uplift, config, out)


@command("tags", example="mallard bench tags mall --out result.json")
@click.argument("mall", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=_CONFIG, metavar="FILE", help="Also write the result there, as JSON.")
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the lake, which is used again when it is there.  [default: a temporary one]",
)
@pass_session
def tags(session: Session, mall: Path, out: Path | None, work: Path | None) -> None:
    """Measure how fast tags of the simulated MALL are built: in full, a day later, and beside pandas."""
    _measure(session, lambda folder: bench_tags(folder, work), mall, out)


bench = group("bench", "Measure against baselines on any data set.", recommend, churn, value, uplift, tags)
