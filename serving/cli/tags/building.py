"""``mallard tags build`` and ``builds``: tag tables, made and kept."""

from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.engine import EventTables, TagBuild, TagStore, build_slices, tag_schema
from features.lake import Lake
from features.tags import catalogue, spec_hash
from features.tags.spec.meaning import meanings
from serving.cli.command import command, pass_session
from serving.cli.moments import as_of_option, moment_of
from serving.cli.session import Session, columns


def build_all(home: Home, as_of: str | None = None) -> TagBuild:
    """Build every tag of every user of the lake as of ``as_of`` (see :func:`moment_of`) and keep the table."""
    lake = Lake(home)
    moment = moment_of(as_of, lake)
    names = tuple(catalogue())
    slices = build_slices(EventTables.from_lake(lake), moment, names)
    return TagStore(home).write(slices, moment, spec_hash(names), tag_schema(names), meanings=meanings(names))


def kept_build(home: Home, as_of: str | None = None) -> TagBuild | None:
    """The newest build, when it is of that moment and of today's declarations."""
    try:
        latest = TagStore(home).latest()
    except MissingStateError:
        return None
    same = latest.as_of == moment_of(as_of, Lake(home)) and latest.spec_hash == spec_hash(catalogue())
    return latest if same else None


@command("build", example="mallard tags build --as-of 2017-12-01")
@as_of_option
@pass_session
def build(session: Session, as_of: str | None) -> None:
    """Build every tag of every user at one moment and keep the table.

    The rules of configs/tags are among them. When anything goes wrong the builds before stay as they are.
    """
    made = build_all(session.home, as_of)
    text = f"{made.users:,} users, {len(made.tags):,} tags as of {made.as_of.isoformat()}: {made.path}"
    session.answer(made.model_dump(mode="json"), text)


@command("builds", example="mallard tags builds")
@pass_session
def builds(session: Session) -> None:
    """List the builds that are kept, the newest last."""
    kept = TagStore(session.home).builds()
    documents = [
        {
            "name": made.name,
            "as_of": made.as_of.isoformat(),
            "built_at": made.built_at.isoformat(),
            "users": made.users,
            "tags": len(made.tags),
            "spec_hash": made.spec_hash,
        }
        for made in kept
    ]
    rows = [[made.name, f"{made.as_of:%Y-%m-%d %H:%M}", f"{made.built_at:%Y-%m-%d %H:%M}", made.users, len(made.tags)]
            for made in kept]  # fmt: skip
    text = columns(["build", "as of", "built at", "users", "tags"], rows)
    session.answer(documents, text if kept else "no tags have been built; run `mallard tags build`")
