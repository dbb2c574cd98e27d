"""``mallard identity``: who is who."""

from datetime import UTC, datetime

import click

from features.lake import Lake
from features.lake.operators import known_user, merge_users, unmerge_users
from serving.cli.command import command, group, pass_session
from serving.cli.session import Session, columns

_reason_option = click.option("--reason", required=True, help="Why; it is kept with the step.")


@command("show", example="mallard identity show 1")
@click.argument("user_id", metavar="USER")
@pass_session
def show(session: Session, user_id: str) -> None:
    """Show for which user an id counts, his other ids, and the links that make them one. Values are keyed hashes."""
    known = known_user(Lake(session.home), user_id)
    links = [vars(link) for link in known.links]
    rows = [
        [link.user_id, link.kind, link.value, link.source, f"{link.known_at:%Y-%m-%d %H:%M}", link.reason or "-"]
        for link in known.links
    ]
    table = columns(["user", "kind", "value", "source", "known", "reason"], rows) if rows else "no links"
    session.answer(
        {"user_id": known.user_id, "members": list(known.members), "links": links},
        f"{user_id} counts for {known.user_id}; ids: {', '.join(known.members)}\n\n{table}",
    )


@command("merge", example='mallard identity merge 1 2 --reason "one person, ticket 4711"')
@click.argument("user_id", metavar="USER")
@click.argument("other", metavar="OTHER")
@_reason_option
@pass_session
def merge(session: Session, user_id: str, other: str, reason: str) -> None:
    """Declare two users to be one, from now on: the one first known stays, of equals the first by name."""
    merged = merge_users(Lake(session.home), user_id, other, reason=reason, now=datetime.now(UTC))
    how = "now count" if merged.changed else "counted before"
    session.answer(vars(merged), f"{user_id} and {other} {how} for {merged.user_id}")


@command("unmerge", example='mallard identity unmerge 1 2 --reason "two people after all"')
@click.argument("user_id", metavar="USER")
@click.argument("other", metavar="OTHER")
@_reason_option
@pass_session
def unmerge(session: Session, user_id: str, other: str, reason: str) -> None:
    """Part two users: take back their merge, and take identities that both have away from OTHER, for good."""
    taken = unmerge_users(Lake(session.home), user_id, other, reason=reason, now=datetime.now(UTC))
    text = f"{user_id} and {other} are two users again; taken back: {', '.join(taken)}"
    session.answer({"taken_back": list(taken)}, text)


identity = group("identity", "See, merge and part the ids of a user.", show, merge, unmerge)
