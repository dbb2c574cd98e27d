"""``mallard evaluate``: how good the registered models are, as judged when they were trained."""

import click

from serving.cli.command import command, pass_session
from serving.cli.commands.promote import model_document
from serving.cli.session import Session
from training.jobs import TrainReport
from training.tracking import KINDS, RegisteredModel, Tracker


@command("evaluate", example="mallard evaluate\nmallard evaluate churn --all")
@click.argument("kind", required=False, type=click.Choice(KINDS), metavar="[KIND]")
@click.option("--all", "every", is_flag=True, help="Every version, not only champion and challenger.")
@pass_session
def evaluate(session: Session, kind: str | None, every: bool) -> None:
    """Show the figures of the registered models of KIND (recommend, churn, value or uplift), or of all.

    The figures were taken on data after everything the model had seen; pictures are in MLflow.
    """
    tracker = Tracker(session.home)
    kinds = [kind] if kind else list(KINDS)
    models = {each: [m for m in tracker.versions(each) if every or m.aliases] for each in kinds}
    documents = [
        {**model_document(model), "report": TrainReport.of(model).to_document()}
        for found in models.values()
        for model in found
    ]
    session.answer(documents, "\n\n".join(figures_text(each, found) for each, found in models.items()))


def figures_text(kind: str, models: list[RegisteredModel]) -> str:
    """How each of these versions did beside its baselines, and which role it has."""
    if not models:
        return f"{kind}: nothing is registered yet; run 'mallard train {kind}'"
    return "\n\n".join(
        f"[{', '.join(model.aliases) or 'no role'}] {TrainReport.of(model).to_text()}" for model in models
    )
