"""``mallard tags list`` and ``describe``: what tags mean, and what the last build knows of them."""

from datetime import datetime
from typing import Any

import click

from features.contracts.errors import MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.engine import TagBuild, TagStore
from features.engine.freshness import newest_events
from features.engine.summary import column
from features.lake import Lake
from features.tags import Tag, catalogue
from features.tags.spec.columns import Lineage
from features.tags.spec.registry import closure, find, is_rule
from serving.cli.command import command, pass_session
from serving.cli.session import Session, columns
from serving.cli.tags.histogram import bars, histogram


@command("list", example="mallard tags list --family value\nmallard tags list --dimension rfm")
@click.option("--family", metavar="NAME", help="Only tags of this family.")
@click.option("--dimension", metavar="NAME", help="Only tags of this dimension.")
@pass_session
def list_tags(session: Session, family: str | None, dimension: str | None) -> None:
    """List every tag with its family, dimension, type and title."""
    every = list(catalogue().values())
    _check("family", "families", family, {tag.family.name for tag in every})
    _check("dimension", "dimensions", dimension, {tag.dimension.name for tag in every})
    tags = [tag for tag in every if family in (None, tag.family.name) and dimension in (None, tag.dimension.name)]
    rows = [
        [tag.name, tag.family.name, tag.dimension.name, str(tag.dtype), tag.kind.unit, f"{tag.title} · {tag.title_zh}"]
        for tag in tags
    ]
    counted = f"{len(tags)} tags in {len({tag.dimension for tag in tags})} dimensions"
    text = f"{columns(['tag', 'family', 'dimension', 'type', 'unit', 'title'], rows)}\n{counted}"
    session.answer([tag_document(tag) for tag in tags], text)


@command("describe", example="mallard tags describe days_since_purchase")
@click.argument("name")
@pass_session
def describe(session: Session, name: str) -> None:
    """Say what the tag NAME means, what it is made of, how fresh it is, and how its values are spread."""
    tag = find(name)
    document = tag_document(tag)
    lineage = lineage_of(tag)
    document["lineage"] = {
        "events": sorted(kind.value for kind in lineage.events),
        "columns": sorted(lineage.columns),
    }
    build = _latest(session.home)
    text = _told(document)
    if build is None or name not in build.tags:
        missing = "no tags have been built" if build is None else f"the build {build.name} is older than this tag"
        session.answer(document | {"last_build": None}, f"{text}\n\n{missing}; run `mallard tags build`")
        return
    newest = _newest(session.home, lineage, build.as_of)
    drawn = histogram(column(build.path, name))
    document["last_build"] = {
        "name": build.name,
        "as_of": build.as_of.isoformat(),
        "built_at": build.built_at.isoformat(),
        "newest_input": newest.isoformat() if newest else None,
        "users": build.users,
        **build.tags[name].model_dump(mode="json"),
        "histogram": [{"value": label, "share": share} for label, share in drawn],
    }
    session.answer(document, "\n".join([text, "", _last_build(build, name, newest), "", bars(drawn)]))


def tag_document(tag: Tag) -> dict[str, Any]:
    """What a tag's declaration says, for machines."""
    return {
        "name": tag.name,
        "title": tag.title,
        "title_zh": tag.title_zh,
        "description": tag.description,
        "description_zh": tag.description_zh,
        "family": tag.family.name,
        "dimension": tag.dimension.name,
        "type": str(tag.dtype),
        "unit": tag.kind.unit,
        "window": str(tag.window),
        "when null": tag.kind.nulls.meaning,
        "valid": str(tag.kind.valid),
        "privacy": str(tag.privacy),
        "declared in": "a rule file" if is_rule(tag.name) else "Python",
        "refresh": "batch" if any(part.of_population for part in closure([tag.name])) else "near real time",
        "inputs": [_input(name) for name in tag.inputs],
    }


def lineage_of(tag: Tag) -> Lineage:
    """The event types and columns that the tag stands on, through everything it builds on."""
    lineage = Lineage()
    for part in closure([tag.name]):
        lineage = lineage | part.lineage()
    return lineage


def _input(name: str) -> str:
    tag = find(name)
    return tag.window.in_english(tag.description.rstrip(".")) if tag.hidden else name


def _told(document: dict[str, Any]) -> str:
    lines = []
    for key, value in document.items():
        if isinstance(value, dict):
            lines += [(part, ", ".join(words)) for part, words in value.items()]
        else:
            lines.append((key, ", ".join(value) if isinstance(value, list) else str(value)))
    return "\n".join(f"{key + ':':<16}{value}" for key, value in lines if value)


def _last_build(build: TagBuild, name: str, newest: datetime | None) -> str:
    summary = build.tags[name]
    lines = [
        ("last build", f"{build.name}, as of {build.as_of.isoformat()}, built at {build.built_at:%Y-%m-%d %H:%M} UTC"),
        ("newest input", newest.isoformat() if newest else "-"),
        ("coverage", f"{summary.coverage:.1%} of {build.users:,} users"),
    ]
    if summary.mean is not None:
        spread = ", ".join(f"{key} {value:g}" for key, value in summary.quantiles.items())
        lines.append(("values", f"mean {summary.mean:.4g}, {summary.minimum:g} … {summary.maximum:g}; {spread}"))
        lines.append(("not 0", f"{summary.nonzero:.1%} of users"))
    if summary.words is not None:
        lines.append(("words", f"{summary.words:,} different ones"))
    return "\n".join(f"{key + ':':<16}{value}" for key, value in lines)


def _newest(home: Home, lineage: Lineage, as_of: datetime) -> datetime | None:
    newest = newest_events(Lake(home).event_files(), as_of)
    return max((newest[kind.value] for kind in lineage.events if kind.value in newest), default=None)


def _latest(home: Home) -> TagBuild | None:
    try:
        return TagStore(home).latest()
    except MissingStateError:
        return None


def _check(what: str, several: str, name: str | None, known: set[str]) -> None:
    if name is not None and name not in known:
        raise UnknownNameError(f"there is no tag {what} '{name}'; the {several} are {', '.join(sorted(known))}")
