"""``mallard train``: fit, judge, draw, track and register a model."""

import click

from serving.cli.command import command, group, pass_session
from serving.cli.commands.evaluate import figures_text
from serving.cli.commands.promote import model_document
from serving.cli.session import Session
from training.pipelines.train_churn import train_churn
from training.pipelines.train_recommend import train_recommend
from training.tracking import Tracker

DEFAULT_BUDGET = 20.0  # minutes


@command("churn", example="mallard train churn")
@pass_session
def churn(session: Session) -> None:
    """Fit the churn model on rolling snapshots of the lake and compare it with its baselines and the champion."""
    train_churn(session.home)
    _show_newest(session, "churn")


@command("recommend", example="mallard train recommend --budget 10")
@click.option("--budget", default=DEFAULT_BUDGET, type=click.FloatRange(min=0.1), metavar="MINUTES",
              help="Time to choose settings in; the final fit comes on top.")  # fmt: skip
@pass_session
def recommend(session: Session, budget: float) -> None:
    """Fit candidate sources and ranker on the lake and compare them with every single source and the champion."""
    train_recommend(session.home, budget)
    _show_newest(session, "recommend")


def _show_newest(session: Session, kind: str) -> None:
    """What the registry says of the version that was just made."""
    tracker = Tracker(session.home)
    model = tracker.versions(kind)[0]
    metrics = tracker.metrics(model.run_id)
    session.answer({**model_document(model), "metrics": metrics}, figures_text(kind, [model], {model.version: metrics}))


train = group("train", "Fit, judge and register a model.", churn, recommend)
