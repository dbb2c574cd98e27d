"""``mallard lists``: ranked items for every user into one file."""

import math
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.lake import Lake
from serving.batch import ListsInfo, everybody, write_lists
from serving.batch.lists import Question
from serving.cli.command import command, pass_session
from serving.cli.moments import as_of_option, moment_of
from serving.cli.session import Session
from training.bundle import read_bundle
from training.deployment import live
from training.models.recommend_bundle import KIND, RecommendBundle


def rank_everybody(
    home: Home, out: Path, *, n: int, as_of: str | None, exclude_seen: bool, processes: int
) -> ListsInfo:
    """Write the ``n`` best items of every user of ``home`` to ``out``, by the deployed recommender.

    Raises :class:`MissingStateError` when none is deployed or the lake is empty.
    """
    folder = live(home, KIND)
    if folder is None:
        raise MissingStateError(
            "no recommendation model is deployed; run 'mallard train recommend' and 'mallard deploy recommend'"
        )
    bundle = RecommendBundle.from_bundle(read_bundle(folder))
    lake = Lake(home)
    question = Question(math.ceil(moment_of(as_of, lake).timestamp()), n, exclude_seen)
    asked = everybody(home, bundle.users)
    return write_lists(bundle, folder, asked, question, out, processes=processes, erased=lake.tombstones)


@command("lists", example="mallard lists --out lists.parquet\nmallard lists --n 50 --exclude-seen --out new.parquet")
@click.option("--n", type=click.IntRange(1, 1000), default=20, help="Items of a list.")
@click.option("--exclude-seen", is_flag=True, help="Leave out items of the user's own history, views included.")
@as_of_option
@click.option("--processes", type=click.IntRange(min=1), metavar="N",
              help="Processes side by side; the result is the same. Default: one per core.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE",
              help="Parquet file to write; what stands there is replaced when all is done.")  # fmt: skip
@pass_session
def lists(session: Session, n: int, exclude_seen: bool, as_of: str | None, processes: int | None, out: Path) -> None:
    """Rank items for every user with the live recommender and write them to a file, for mails and messages.

    The histories are those that the model carries; rules of placements are not applied. Columns: user_id, rank,
    item_id, score, source, model_version, as_of.
    """
    info = rank_everybody(
        session.home, out, n=n, as_of=as_of, exclude_seen=exclude_seen, processes=processes or os.cpu_count() or 1
    )
    moment = datetime.fromtimestamp(info.as_of, UTC)
    session.answer(
        {**asdict(info), "as_of": moment.isoformat()},
        f"{info.rows:,} items for {info.users:,} users as of {moment:%Y-%m-%d %H:%M:%S} UTC by {info.model_version} "
        f"are in {info.file}",
    )
