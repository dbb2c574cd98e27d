"""``mallard canary``: a version is tried on some users before it answers everybody."""

from dataclasses import asdict
from datetime import UTC, datetime

import click

from features.contracts.errors import InputError
from serving.cli.command import command, pass_session
from serving.cli.session import Session
from serving.engine.rollout import KIND, Mode, Rollout, end_rollout, read_rollout, start_rollout
from training.deployment import placed
from training.tracking import Tracker


@command(
    "canary",
    example="mallard canary challenger --share 0.1\nmallard canary challenger --shadow\n"
    "mallard canary --stop\nmallard canary",
)
@click.argument("version", required=False, metavar="[N|ALIAS]")
@click.option("--share", default=0.1, show_default=True, type=float, help="Of users (canary) or questions (shadow).")
@click.option("--shadow", is_flag=True, help="Answer nobody: ask the version beside the live one, and compare.")
@click.option("--stop", is_flag=True, help="End the trial that runs.")
@pass_session
def canary(session: Session, *, version: str | None, share: float, shadow: bool, stop: bool) -> None:
    """Try a registered recommendation model on a share of the users; without arguments: how the last trial came out.

    A user stays with the version he was given. Running servers follow within seconds, count its answers apart in
    /metrics, and end the trial by themselves when the version fails more often or takes longer than the live one.
    To let it answer everybody: 'mallard deploy recommend --version N'.
    """
    if stop and version is not None:
        raise InputError("give a version to try, or --stop, not both")
    if stop:
        shown = end_rollout(session.home, "stopped by hand")
    elif version is not None:
        path = placed(session.home, Tracker(session.home).fetch(KIND, version))
        shown = start_rollout(session.home, path.name, share, Mode.SHADOW if shadow else Mode.CANARY)
    else:
        found = read_rollout(session.home)
        if found is None:
            session.answer({}, "no version was ever tried; try one with 'mallard canary challenger --share 0.1'")
            return
        shown = found
    session.answer(asdict(shown), in_words(shown))


def in_words(rollout: Rollout) -> str:
    """A trial in one line."""
    whom = f"{rollout.share:.0%} of " + ("the users" if rollout.mode is Mode.CANARY else "the questions, unseen")
    line = f"{rollout.version} is tried on {whom} since {_moment(rollout.started_at)}"
    if rollout.ended_at is None:
        return line
    return f"{line.replace(' is tried ', ' was tried ')}; ended {_moment(rollout.ended_at)}: {rollout.why}"


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
