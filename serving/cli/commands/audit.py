"""``mallard audit``: who asked for whose data."""

import click

from features.contracts.home import Home
from features.identity.key import IdentityKey
from serving.access.audit import AuditLog
from serving.cli.command import command, group, pass_session
from serving.cli.session import Session, columns


def _log(home: Home) -> AuditLog:
    return AuditLog(home.audit, IdentityKey.of(home))


@command("verify", example="mallard audit verify\nmallard audit verify --head 9f2c...")
@click.option("--head", metavar="CHAIN", help="A last chain noted earlier, which must still be in the log.")
@pass_session
def verify(session: Session, head: str | None) -> None:
    """Check that no line was changed, taken out or put in, and show the last chain to note elsewhere."""
    count, chain = _log(session.home).verify(head)
    session.answer({"lines": count, "head": chain}, f"{count:,} lines, whole; the last chain is\n{chain}")


@command("show", example="mallard audit show --user 1228 --last 20")
@click.option("--user", metavar="ID", help="Only requests that named this user.")
@click.option("--caller", metavar="NAME", help="Only requests of this key.")
@click.option("--last", default=50, type=click.IntRange(1, 1_000_000), help="At most so many, the latest.")
@pass_session
def show(session: Session, user: str | None, caller: str | None, last: int) -> None:
    """Show who asked, when and why. Users are masked; a line names the first 20 of many."""
    log = _log(session.home)
    mask = None if user is None else log.mask(user)
    found = [
        line
        for line in log.lines()
        if (mask is None or mask in line["users"]) and (caller is None or line["caller"] == caller)
    ][-last:]
    rows = [
        [line["at"][:19], line["caller"], line["call"], " ".join(line["users"]) or "-", line["purpose"] or "-"]
        for line in found
    ]
    text = columns(["at", "caller", "call", "users", "purpose"], rows) if rows else "nobody asked"
    session.answer(found, text)


audit = group("audit", "Who asked for whose data, and whether the log is whole.", show, verify)
