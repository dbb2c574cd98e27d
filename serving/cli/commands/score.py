"""``mallard score``: every user's risk into a snapshot that marketing pulls."""

from features.contracts.config import load_config
from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.engine import TagStore
from features.lake import Lake
from serving.cli.command import command, pass_session
from serving.cli.commands.ingest import drain_inbox
from serving.cli.moments import as_of_option
from serving.cli.session import Session
from serving.cli.tags.building import build_all, kept_build
from serving.config import ServingConfig
from serving.marketing import SnapshotInfo, snapshot_tags, write_snapshot
from training.bundle import read_bundle
from training.deployment import live
from training.models.churn import ChurnModel


def score_users(home: Home, as_of: str | None = None) -> SnapshotInfo:
    """Move the inbox into the lake, build the tags as of ``as_of`` unless they stand, score every user by them.

    The tags are kept, so that what the server says of a user's tags and what the list says of his risk are of one
    moment. Raises :class:`MissingStateError` when no churn model is deployed or the lake is empty.
    """
    path = live(home, "churn")
    if path is None:
        raise MissingStateError("no churn model is deployed; run 'mallard train churn' and 'mallard deploy churn'")
    drain_inbox(home)
    bundle = read_bundle(path)
    model = ChurnModel.from_bundle(bundle)
    build = kept_build(home, as_of) or build_all(home, as_of)
    return write_snapshot(
        home,
        model,
        TagStore(home).read(snapshot_tags(model)),
        Lake(home).read_users(),
        as_of=build.as_of,
        model_version=bundle.manifest.version,
        config=load_config(ServingConfig, home.configs / "serving.yaml", optional=True).marketing,
    )


@command("score", example="mallard score\nmallard score --as-of 2017-12-01")
@as_of_option
@pass_session
def score(session: Session, as_of: str | None) -> None:
    """Score every user with the live churn model and write the snapshot that churn lists are made of."""
    info = score_users(session.home, as_of)
    session.answer(
        vars(info),
        f"snapshot {info.id}: {info.count:,} users as of {info.as_of} by churn model {info.model_version}, "
        f"horizon {info.horizon_days} days",
    )
