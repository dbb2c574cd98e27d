"""``mallard tags``: what is known of users."""

import click

from features.contracts import columns as c
from features.contracts.errors import MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.engine import EventTables, TagBuild, TagStore, build_tags
from features.lake import Lake
from features.tags import Tag, catalogue, spec_hash
from features.tags.spec.registry import find
from serving.cli.command import command, group, pass_session
from serving.cli.moments import as_of_option, moment_of
from serving.cli.session import Session, columns


def build_all(home: Home, as_of: str | None = None) -> TagBuild:
    """Build every tag of every user of the lake as of ``as_of`` (see :func:`moment_of`) and keep the table."""
    lake = Lake(home)
    moment = moment_of(as_of, lake)
    return TagStore(home).write(build_tags(EventTables.from_lake(lake), moment), moment, spec_hash(catalogue()))


def kept_build(home: Home, as_of: str | None = None) -> TagBuild | None:
    """The newest build, when it is of that moment and of today's declarations."""
    try:
        latest = TagStore(home).latest()
    except MissingStateError:
        return None
    same = latest.as_of == moment_of(as_of, Lake(home)) and latest.spec_hash == spec_hash(catalogue())
    return latest if same else None


@command("list", example="mallard tags list --family value")
@click.option("--family", metavar="NAME", help="Only tags of this family.")
@pass_session
def list_tags(session: Session, family: str | None) -> None:
    """List every tag with its family, type and title."""
    tags = [tag for tag in catalogue().values() if family in (None, tag.family.name)]
    if not tags:
        families = sorted({tag.family.name for tag in catalogue().values()})
        raise UnknownNameError(f"there is no tag family '{family}'; the families are {', '.join(families)}")
    rows = [[tag.name, tag.family.name, str(tag.dtype), tag.kind.unit, tag.title] for tag in tags]
    text = f"{columns(['tag', 'family', 'type', 'unit', 'title'], rows)}\n{len(tags)} tags"
    session.answer([_document(tag) for tag in tags], text)


@command("describe", example="mallard tags describe days_since_purchase")
@click.argument("name")
@pass_session
def describe(session: Session, name: str) -> None:
    """Say what the tag NAME means, over which window, and what it is when nothing happened."""
    document = _document(find(name))
    session.answer(
        document, "\n".join(f"{key + ':':<13}{value}" for key, value in document.items() if value not in ("", []))
    )


@command("build", example="mallard tags build --as-of 2017-12-01")
@as_of_option
@pass_session
def build(session: Session, as_of: str | None) -> None:
    """Build every tag of every user at one moment and keep the table."""
    made = build_all(session.home, as_of)
    text = f"{made.users:,} users, {len(made.tags):,} tags as of {made.as_of.isoformat()}: {made.path}"
    session.answer(made.model_dump(mode="json"), text)


@command("profile", example="mallard tags profile 1228")
@click.argument("user_id", metavar="USER")
@as_of_option
@pass_session
def profile(session: Session, user_id: str, as_of: str | None) -> None:
    """Show every tag of one USER, built now from the lake."""
    lake = Lake(session.home)
    moment = moment_of(as_of, lake)
    rows = build_tags(EventTables.from_lake(lake), moment, users=[user_id]).to_pylist()
    if not rows:
        raise UnknownNameError(f"user '{user_id}' did nothing before {moment.isoformat()}")
    values = {name: value for name, value in rows[0].items() if name != c.USER_ID}
    lines = [[n, "-" if v is None else v, find(n).kind.unit, find(n).title] for n, v in values.items()]
    session.answer(
        {c.USER_ID: user_id, "as_of": moment.isoformat(), "tags": values},
        f"user {user_id} as of {moment.isoformat()}\n{columns(['tag', 'value', 'unit', 'title'], lines)}",
    )


def _document(tag: Tag) -> dict[str, object]:
    return {
        "name": tag.name,
        "family": tag.family.name,
        "title": tag.title,
        "title_zh": tag.title_zh,
        "description": tag.description,
        "type": str(tag.dtype),
        "unit": tag.kind.unit,
        "window": str(tag.window),
        "when null": tag.kind.nulls.meaning,
        "valid": str(tag.kind.valid),
        "privacy": str(tag.privacy),
        "inputs": list(tag.inputs),
    }


tags = group("tags", "Look at user tags and build them.", list_tags, describe, build, profile)
