"""``mallard evaluate``: how good the registered models are, as judged when they were trained."""

import click

from serving.cli.command import command, pass_session
from serving.cli.commands.promote import model_document
from serving.cli.session import Session, columns
from training.tracking import KINDS, RegisteredModel, Tracker

_SHOWN = 10


@command("evaluate", example="mallard evaluate\nmallard evaluate churn --all")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option("--all", "every", is_flag=True, help="Every version, not only champion and challenger.")
@pass_session
def evaluate(session: Session, kind: str | None, every: bool) -> None:
    """Show the figures of the registered models of KIND, or of all kinds.

    The figures were taken on data after everything the model had seen; pictures are in MLflow.
    """
    tracker = Tracker(session.home)
    documents, texts = [], []
    for each in [kind] if kind else KINDS:
        models = [model for model in tracker.versions(each) if every or model.aliases]
        figures = {model.version: tracker.metrics(model.run_id) for model in models}
        documents += [{**model_document(model), "metrics": figures[model.version]} for model in models]
        texts.append(figures_text(each, models, figures))
    session.answer(documents, "\n\n".join(texts))


def figures_text(kind: str, models: list[RegisteredModel], figures: dict[str, dict[str, float]]) -> str:
    """The metrics of versions of one kind side by side, and what they were compared with."""
    if not models:
        return f"{kind}: nothing is registered yet; run 'mallard train {kind}'"
    names = list(dict.fromkeys(name for row in figures.values() for name in sorted(row)))[:_SHOWN]
    rows = [
        [model.version, ", ".join(model.aliases) or "-", *(figures[model.version].get(name, "-") for name in names)]
        for model in models
    ]
    evidence = [f"  version {model.version}: {each}" for model in models for each in model.comparisons]
    return "\n".join([f"{kind}:", columns(["version", "role", *names], rows), *evidence])
