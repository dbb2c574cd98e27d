"""``mallard tags diff``: what became of tags from one build to another."""

from dataclasses import asdict
from typing import Any

import click

from features.engine import TagStore
from features.engine.difference import Difference, difference
from features.engine.store import LATEST, PREVIOUS
from serving.cli.command import command, pass_session
from serving.cli.session import Session, columns

_SHOWN = 20


@command("diff", example="mallard tags diff\nmallard tags diff 20171101 latest --top 50")
@click.argument("before", metavar="A", default=PREVIOUS)
@click.argument("after", metavar="B", default=LATEST)
@click.option("--top", default=_SHOWN, type=click.IntRange(0), help="How many tags to show, the greatest effect first.")
@pass_session
def diff(session: Session, before: str, after: str, top: int) -> None:
    """Compare the build A with the build B: tags added, removed and redefined, and how values moved.

    A build is called by its name, the beginning of it, 'latest' or 'previous'; 'mallard tags builds' lists them. The
    effect is the population stability index of all users: above 0.1 worth a look, above 0.25 another world.
    """
    store = TagStore(session.home)
    found = difference(store.get(before), store.get(after))
    session.answer(_document(found), _text(found, top))


def _document(found: Difference) -> dict[str, Any]:
    return {
        "before": _build(found.before.name, found.before.as_of.isoformat(), found.before.users),
        "after": _build(found.after.name, found.after.as_of.isoformat(), found.after.users),
        "users": {"common": found.common_users, "gone": found.gone_users, "new": found.new_users},
        "added": list(found.added),
        "removed": list(found.removed),
        "redefined": None if found.redefined is None else list(found.redefined),
        "tags": [asdict(movement) for movement in found.movements],
    }


def _build(name: str, as_of: str, users: int) -> dict[str, Any]:
    return {"name": name, "as_of": as_of, "users": users}


def _text(found: Difference, top: int) -> str:
    redefined = "not known: a build does not say what its tags mean" if found.redefined is None else None
    lines = [
        f"before     {found.before.name} as of {found.before.as_of.isoformat()}, {found.before.users:,} users",
        f"after      {found.after.name} as of {found.after.as_of.isoformat()}, {found.after.users:,} users",
        f"users      {found.common_users:,} in both, {found.gone_users:,} gone, {found.new_users:,} new",
        f"added      {', '.join(found.added) or '-'}",
        f"removed    {', '.join(found.removed) or '-'}",
        f"redefined  {redefined or ', '.join(found.redefined or ()) or '-'}",
        "",
    ]
    rows = [
        [
            movement.tag + (" *" if movement.redefined else ""),
            f"{movement.psi:.3f}",
            "-" if movement.changed is None else f"{movement.changed:.1%}",
            "-" if movement.mean_change is None else f"{movement.mean_change:+.4g}",
            f"{movement.coverage[0]:.1%} → {movement.coverage[1]:.1%}",
        ]
        for movement in found.movements[:top]
    ]
    left = len(found.movements) - len(rows)
    more = f"\n{left} tags with smaller effects are not shown; --top says how many" if left > 0 else ""
    return "\n".join(lines) + columns(["tag", "psi", "changed", "mean change", "coverage"], rows) + more
