"""``mallard rollback``: back to the model that answered before."""

import click

from serving.cli.command import command, pass_session
from serving.cli.commands.deploy import deployed_document
from serving.cli.session import Session
from training.deployment import rollback as flip_back
from training.tracking import KINDS


@command("rollback", example="mallard rollback recommend")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@pass_session
def rollback(session: Session, kind: str) -> None:
    """Make the model of KIND (recommend or churn) that was deployed before the live one answer again."""
    done = flip_back(session.home, kind)
    session.answer(deployed_document(done), f"{kind} {done.version} is live again, in place of {done.previous}")
