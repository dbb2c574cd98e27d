"""``mallard promote``: the challenger becomes the champion, if it is better."""

import click

from serving.cli.command import command, pass_session
from serving.cli.session import Session
from training.tracking import KINDS, RegisteredModel, Tracker


@command("promote", example="mallard promote churn")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.option("--force", is_flag=True, help="Promote it although it is not shown to be better; the reason is recorded.")
@pass_session
def promote(session: Session, kind: str, force: bool) -> None:
    """Make the challenger of KIND (recommend, churn, value or uplift) the champion.

    Refused, with the figures, unless every paired 95 % interval recorded when it was trained lies above zero.
    """
    model = Tracker(session.home).promote(kind, force=force)
    evidence = "".join(f"\n  {comparison}" for comparison in model.comparisons)
    session.answer(
        model_document(model),
        f"{kind} version {model.version} is the champion{evidence}\nMake it answer with: mallard deploy {kind}",
    )


def model_document(model: RegisteredModel) -> dict[str, object]:
    """A registered model for machines."""
    return {
        "kind": model.kind,
        "version": model.version,
        "aliases": model.aliases,
        "run_id": model.run_id,
        "bundle": model.path,
        "created_at": model.created_at,
        "comparisons": [
            {"metric": c.metric, "against": c.against, "champion": c.champion, **vars(c.paired)}
            for c in model.comparisons
        ],
    }
