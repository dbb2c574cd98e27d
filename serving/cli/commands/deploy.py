"""``mallard deploy``: one registered model becomes the one that answers."""

import click

from features.contracts.home import Home
from serving.cli.command import command, pass_session
from serving.cli.session import Session
from training.deployment import Deployed
from training.deployment import deploy as flip
from training.tracking import CHAMPION, KINDS, Tracker


def deploy_registered(home: Home, kind: str, alias_or_version: str = CHAMPION) -> Deployed:
    """Copy the bundle of a registered model below ``home`` and make it live."""
    return flip(home, Tracker(home).fetch(kind, alias_or_version))


@command("deploy", example="mallard deploy churn\nmallard deploy recommend --version 3")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.option("--version", default=CHAMPION, metavar="N|ALIAS", help="Which registered version.")
@pass_session
def deploy(session: Session, kind: str, version: str) -> None:
    """Verify a registered model of KIND (recommend, churn, value or uplift) and make it the one that answers.

    Running servers pick it up within seconds.
    """
    done = deploy_registered(session.home, kind, version)
    before = f", before it {done.previous}" if done.previous else ""
    session.answer(deployed_document(done), f"{kind} {done.version} is live{before}")


def deployed_document(done: Deployed) -> dict[str, object]:
    """A deployment for machines."""
    return {"kind": done.kind, "version": done.version, "previous": done.previous, "path": done.path}
