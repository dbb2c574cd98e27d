"""``mallard score``: every user's risk into a snapshot that marketing pulls."""

from features.contracts.config import load_config
from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.engine import EventTables, build_tags
from features.lake import Lake
from serving.cli.command import command, pass_session
from serving.cli.commands.ingest import drain_inbox
from serving.cli.moments import as_of_option, moment_of
from serving.cli.session import Session
from serving.config import ServingConfig
from serving.marketing import SnapshotInfo, write_snapshot
from training.bundle import read_bundle
from training.deployment import live
from training.models.churn import ChurnModel


def score_users(home: Home, as_of: str | None = None) -> SnapshotInfo:
    """Move the inbox into the lake, score every user as of ``as_of`` (see :func:`moment_of`), write the snapshot."""
    path = live(home, "churn")
    if path is None:
        raise MissingStateError("no churn model is deployed; run 'mallard train churn' and 'mallard deploy churn'")
    drain_inbox(home)
    bundle = read_bundle(path)
    model = ChurnModel.from_bundle(bundle)
    lake = Lake(home)
    moment = moment_of(as_of, lake)
    return write_snapshot(
        home,
        model,
        build_tags(EventTables.from_lake(lake), moment, model.required_tags),
        lake.read_users(),
        as_of=moment,
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
