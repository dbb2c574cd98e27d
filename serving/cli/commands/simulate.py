"""``mallard simulate``: a mall whose truth is known."""

import os
from pathlib import Path

import click

from features.simulator import make_world
from features.simulator import simulate as make_mall
from serving.cli.command import command, pass_session
from serving.cli.session import Session


@command(
    "simulate",
    example="mallard simulate --users 10000 --items 2000 --days 120 --out var/malls/small\n"
    "mallard ingest var/malls/small/source.yaml",
)
@click.option("--users", type=int, default=10_000, help="Registered people.")
@click.option("--items", type=int, default=2_000, help="Items of the catalogue.")
@click.option("--days", type=int, default=120, help="Days to live through.")
@click.option("--seed", type=int, default=0, help="Another seed is another mall; the same seed the same files.")
@click.option("--start", default="2025-01-01", metavar="DATE", help="First day (UTC).")
@click.option("--events", type=int, metavar="TARGET",
              help="About so many events, by scaling how often people visit. Default: no scaling.")  # fmt: skip
@click.option("--processes", type=click.IntRange(min=1), metavar="N",
              help="Processes side by side; the result is the same. Default: one per core.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="Folder to make; it must not exist yet.")  # fmt: skip
@pass_session
def simulate(
    session: Session,
    users: int,
    items: int,
    days: int,
    seed: int,
    start: str,
    events: int | None,
    processes: int | None,
    out: Path,
) -> None:
    """Invent a mall: a log of events to take in, and a folder 'truth' to measure models against.

    People have tastes, rhythms, moods and a day on which they are gone; messages and recommendations are randomised
    and logged with their probabilities; some of the traffic is fake, and marked.
    """
    world = make_world(users=users, items=items, days=days, seed=seed, start=start, events=events)
    mall = make_mall(world, out, processes=processes or os.cpu_count() or 1)
    document = {
        "folder": str(mall.folder),
        "source": str(mall.folder / "source.yaml"),
        "events": mall.events,
        "fake_events": mall.fake_events,
        "accounts": mall.accounts,
        "visit_scale": mall.world.visit_scale,
    }
    session.answer(
        document,
        f"{mall.events:,} events of {users:,} people ({mall.accounts:,} accounts, {mall.fake_events:,} fake events) "
        f"are in {mall.folder}\nThe truth is in {mall.folder / 'truth'}.\n"
        f"Take the mall in with: mallard ingest {mall.folder / 'source.yaml'}",
    )
