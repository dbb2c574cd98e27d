"""``mallard train``: fit, judge, draw, track and register a model."""

import click

from serving.cli.budget import minutes
from serving.cli.command import command, group, pass_session
from serving.cli.session import Session
from training.jobs import TrainReport, train_churn, train_recommend

DEFAULT_BUDGET = "20m"


@command("churn", example="mallard train churn")
@pass_session
def churn(session: Session) -> None:
    """Fit the churn model on rolling snapshots of the lake and compare it with its baselines and the champion."""
    _show(session, train_churn(session.home))


@command("recommend", example="mallard train recommend --budget 20m")
@click.option("--budget", default=DEFAULT_BUDGET, callback=minutes, metavar="TIME",
              help="Time to choose settings in, such as 20m or 1h; the final fit comes on top.")  # fmt: skip
@pass_session
def recommend(session: Session, budget: float) -> None:
    """Fit candidate sources and ranker on the lake and compare them with every single source and the champion."""
    _show(session, train_recommend(session.home, budget))


def _show(session: Session, report: TrainReport) -> None:
    session.answer(report.to_document(), f"{report.to_text()}\n{report.advice}")


train = group("train", "Fit, judge and register a model.", churn, recommend)
