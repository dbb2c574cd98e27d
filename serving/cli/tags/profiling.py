"""``mallard tags profile``: what stands out in one user."""

from dataclasses import dataclass
from typing import Any

import click

from features.contracts import columns as c
from features.contracts.errors import MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.engine import EventTables, TagBuild, TagStore, build_tags
from features.engine.standing import Standing, standing
from features.lake import Lake
from features.tags import Tag, catalogue
from serving.cli.command import command, pass_session
from serving.cli.moments import as_of_option, moment_of
from serving.cli.session import Session, columns

_SHOWN = 20
_HEADER = ["tag", "value", "unit", "as unusual", "title"]


@dataclass(frozen=True)
class Entry:
    """One tag of the user; ``standing`` is missing where there is nothing to compare it with."""

    tag: Tag
    value: Any
    standing: Standing | None

    @property
    def bits(self) -> float:
        return self.standing.bits if self.standing else 0.0


@command("profile", example="mallard tags profile 1228\nmallard tags profile 1228 --now --all")
@click.argument("user_id", metavar="USER")
@click.option("--now", is_flag=True, help="Compute the tags from the lake instead of reading the last build.")
@as_of_option
@click.option("--all", "everything", is_flag=True, help="Show every tag, not only those that stand out.")
@click.option("--top", default=_SHOWN, type=click.IntRange(1), help="How many tags to show.")
@pass_session
def profile(session: Session, *, user_id: str, now: bool, as_of: str | None, everything: bool, top: int) -> None:
    """Show what stands out in one USER, by dimension, the strongest first.

    Values are those of the last build, or computed now from the lake with --now, or as of a moment with --as-of. A
    tag is strong when few users of the last build have a value as unusual; of one tag over several windows only the
    strongest is shown.
    """
    build = _latest(session.home)
    if now or as_of is not None:
        moment, values = _computed(session.home, user_id, as_of)
        source = "computed now"
    elif build is None:
        raise MissingStateError("no tags have been built; run `mallard tags build`, or ask with --now")
    else:
        moment, values = build.as_of.isoformat(), TagStore(session.home).profile(user_id)
        source = f"build {build.name}"
    entries = _entries(values, build)
    shown = entries if everything else _strongest(entries, top)
    session.answer(
        {
            c.USER_ID: user_id,
            "as_of": moment,
            "source": source,
            "tags": values,
            "strongest": [_document(entry) for entry in shown],
        },
        f"user {user_id} as of {moment}, {source}\n{len(shown)} of {len(values)} tags\n\n{_text(shown)}",
    )


def strongest_tags(home: Home, user_id: str, top: int = _SHOWN) -> str:
    """What stands out in one user of the last build, as text."""
    return _text(_strongest(_entries(TagStore(home).profile(user_id), _latest(home)), top))


def _computed(home: Home, user_id: str, as_of: str | None) -> tuple[str, dict[str, Any]]:
    lake = Lake(home)
    moment = moment_of(as_of, lake)
    rows = build_tags(EventTables.from_lake(lake), moment, users=[user_id]).to_pylist()
    if not rows:
        raise UnknownNameError(f"user '{user_id}' did nothing before {moment.isoformat()}")
    return moment.isoformat(), {name: value for name, value in rows[0].items() if name != c.USER_ID}


def _entries(values: dict[str, Any], build: TagBuild | None) -> list[Entry]:
    """The user's tags that are still declared, the strongest first."""
    tags = catalogue()
    summaries = build.tags if build else {}
    entries = []
    for name, value in values.items():
        if name in tags:
            found = standing(value, summaries[name], build.users) if build and name in summaries else None
            entries.append(Entry(tags[name], value, found))
    return sorted(entries, key=lambda entry: -entry.bits)


def _strongest(entries: list[Entry], top: int) -> list[Entry]:
    """The first of each tag over several windows; without a build to compare with, all that say something."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.value is not None and (entry.bits or entry.standing is None):
            first.setdefault(entry.tag.name.removesuffix(entry.tag.window.suffix), entry)
    return list(first.values())[:top]


def _text(shown: list[Entry]) -> str:
    dimensions = dict.fromkeys(entry.tag.dimension for entry in shown)
    parts = []
    for dimension in dimensions:
        rows = [_row(entry) for entry in shown if entry.tag.dimension == dimension]
        parts.append((f"{dimension.title} · {dimension.title_zh} ({dimension.name})", rows))
    table = columns(_HEADER, [row for _, rows in parts for row in rows]).splitlines()
    lines = [f"  {table.pop(0)}"]
    for title, rows in parts:
        lines += [title, *(f"  {table.pop(0)}" for _ in rows)]
    return "\n".join(lines)


def _row(entry: Entry) -> list[object]:
    tag = entry.tag
    share = f"{entry.standing.share:.1%}" if entry.standing else "-"
    unit = "" if tag.kind.unit in ("word", "yes or no") else tag.kind.unit
    return [tag.name, _told(entry.value), unit, share, f"{tag.title} · {tag.title_zh}"]


def _told(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _document(entry: Entry) -> dict[str, Any]:
    tag = entry.tag
    return {
        "tag": tag.name,
        "value": entry.value,
        "unit": tag.kind.unit,
        "title": tag.title,
        "title_zh": tag.title_zh,
        "family": tag.family.name,
        "dimension": tag.dimension.name,
        "share": entry.standing.share if entry.standing else None,
        "bits": entry.bits if entry.standing else None,
    }


def _latest(home: Home) -> TagBuild | None:
    try:
        return TagStore(home).latest()
    except MissingStateError:
        return None
