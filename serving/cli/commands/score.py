"""``mallard score``: every user's risk into a snapshot that marketing pulls."""

from collections.abc import Iterable

import click
import pyarrow as pa

from features.contracts.config import load_config
from features.contracts.errors import BundleError, MissingStateError
from features.contracts.home import Home
from features.contracts.progress import say
from features.engine import EventTables, TagStore, build_slices
from features.lake import Lake
from serving.cli.command import command, pass_session
from serving.cli.commands.ingest import drain_inbox
from serving.cli.moments import as_of_option, moment_of
from serving.cli.session import Session
from serving.cli.tags.building import build_all, kept_build
from serving.config import ServingConfig
from serving.engine.actions import ActionsConfig
from serving.engine.forecast import Models
from serving.engine.live_models import LiveModels
from serving.marketing import SnapshotInfo, snapshot_tags, write_snapshot

#: Users whose tags are built at a time when no tag table is kept.
_SLICE = 125_000


def score_users(home: Home, as_of: str | None = None, *, keep_tags: bool = True, reasons: bool = True) -> SnapshotInfo:
    """Move the inbox into the lake, build the tags as of ``as_of`` unless they stand, score every user by them.

    Tags that are kept make what the server says of a user's tags and what the list says of his risk of one moment;
    without ``keep_tags`` only those that the models read are built, and forgotten. Raises
    :class:`MissingStateError` when no churn model is deployed or the lake is empty, :class:`BundleError` when the churn
    model is refused; a value or uplift model that is missing or refused is done without.
    """
    models = deployed_models(home)
    drain_inbox(home)
    lake = Lake(home)
    moment = moment_of(as_of, lake)
    wanted = snapshot_tags(models)
    build = kept_build(home, as_of)
    tags: pa.Table | Iterable[pa.Table]
    if build is not None or keep_tags:
        build = build or build_all(home, as_of)
        moment, tags = build.as_of, TagStore(home).read(wanted)
    else:
        tags = build_slices(EventTables.from_lake(lake), moment, wanted, slice_users=_SLICE)
    return write_snapshot(
        home,
        models,
        tags,
        lake.read_users(),
        as_of=moment,
        config=load_config(ServingConfig, home.configs / "serving.yaml", optional=True).marketing,
        actions=load_config(ActionsConfig, home.configs / "actions.yaml", optional=True),
        reasons=reasons,
    )


def deployed_models(home: Home) -> Models:
    """Every deployed model that has a say in a snapshot."""
    loaded = LiveModels(home)
    loaded.load("churn")
    for kind in ("value", "uplift"):
        try:
            loaded.load(kind)
        except BundleError as error:
            say(f"scoring goes on without the {kind} model: {error}")
    models = loaded.models()
    if models is None:
        raise MissingStateError("no churn model is deployed; run 'mallard train churn' and 'mallard deploy churn'")
    return models


@command("score", example="mallard score\nmallard score --as-of 2017-12-01\nmallard score --fast")
@as_of_option
@click.option("--fast", is_flag=True, help="Build only the tags that the models read, keep none, and give no reasons.")
@pass_session
def score(session: Session, as_of: str | None, *, fast: bool) -> None:
    """Score every user with the live models and write the snapshot that churn lists are made of.

    Risk, value, the next purchase, the effect of a message and what to do. What needs a value or an uplift model is
    unknown while none is deployed.
    """
    info = score_users(session.home, as_of, keep_tags=not fast, reasons=not fast)
    without = f"; without {' and '.join(info.missing)} model" if info.missing else ""
    session.answer(
        vars(info),
        f"snapshot {info.id}: {info.count:,} users as of {info.as_of} by churn model {info.model_version}, "
        f"horizon {info.horizon_days} days, yellow from {info.tiers['yellow']:.2f}, red from "
        f"{info.tiers['red']:.2f}{without}",
    )
