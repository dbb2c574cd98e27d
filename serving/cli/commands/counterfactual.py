"""``mallard counterfactual``: what other lists would have earned, before anybody sees them."""

from pathlib import Path
from typing import Any

import click

from features.contracts.events import EventType
from features.lake import Lake
from serving.cli.command import command, pass_session
from serving.cli.moments import moment_of
from serving.cli.session import Session
from training.jobs.off_policy import judge_policy


@command("counterfactual", example="mallard counterfactual home --policy lists.parquet\n"
         "mallard counterfactual home --policy tried.parquet --reward purchase --since 2025-06-01")  # fmt: skip
@click.argument("placement")
@click.option("--policy", type=click.Path(path_type=Path), required=True, metavar="FILE",
              help="Parquet: user_id, item_id, and rank (as 'mallard lists' writes it) or probability.")  # fmt: skip
@click.option("--reward", type=click.Choice([kind.value for kind in EventType]), default=EventType.CLICK.value,
              metavar="EVENT", help="The event that counts as success when it follows in the same answer.")  # fmt: skip
@click.option("--since", metavar="TIME", help="ISO 8601; earlier impressions are left out.")
@click.option("--clip", type=click.FloatRange(min=0, min_open=True),
              help="Bound of the weights: narrower intervals, for a bias that they do not show.")  # fmt: skip
@pass_session
def counterfactual(
    session: Session, placement: str, policy: Path, reward: str, since: str | None, clip: float | None
) -> None:
    """Estimate what a policy would have earned on PLACEMENT, from impressions that carry their propensity.

    IPS, SNIPS and DR with 95 % intervals over users. Refuses where propensities are missing, or where too little of
    what was shown is what the policy would show.
    """
    first = None if since is None else moment_of(since, Lake(session.home))
    found = judge_policy(session.home, placement, policy, reward=EventType(reward), since=first, clip=clip)
    session.answer(found, _text(found))


def _text(found: dict[str, Any]) -> str:
    lines = [
        f"{found['reward']} per list on '{found['placement']}', {found['rows']:,} impressions of users in the policy "
        f"({found['left_out']:,} of others left out)",
        f"  logged  {found['logged']:.4f}",
    ]
    lines += [
        f"  {name:6}  {each['value']:.4f}  [{each['low']:.4f}, {each['high']:.4f}]"
        for name, each in found["estimates"].items()
    ]
    lines.append(
        f"{found['effective']:,.0f} rows speak for the policy; mean weight {found['mean_weight']:.2f} (1 is right), "
        f"{found['clipped']:.1%} of the weights were cut"
    )
    return "\n".join(lines)
