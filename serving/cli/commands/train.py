"""``mallard train``: fit, judge, draw, track and register a model."""

import click

from serving.cli.budget import minutes
from serving.cli.command import command, group, pass_session
from serving.cli.session import Session
from training.jobs import TrainReport, train_churn, train_recommend, train_uplift, train_value

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


@command("value", example="mallard train value")
@pass_session
def value(session: Session) -> None:
    """Fit what users will spend, and when they buy next, and compare it with mean and last spend and BG/NBD."""
    _show(session, train_value(session.home))


@command("uplift", example="mallard train uplift")
@pass_session
def uplift(session: Session) -> None:
    """Fit what a message changes, on randomised messages; refused, with what is missing, where there are none."""
    _show(session, train_uplift(session.home))


def _show(session: Session, report: TrainReport) -> None:
    session.answer(report.to_document(), f"{report.to_text()}\n{report.advice}")


train = group("train", "Fit, judge and register a model.", churn, recommend, value, uplift)
