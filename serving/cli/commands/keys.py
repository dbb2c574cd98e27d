"""``mallard keys``: who may call the server."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from features.contracts.errors import UnknownNameError
from features.contracts.home import Home
from serving.cli.command import command, group, pass_session
from serving.cli.session import Session, columns
from serving.store.keys import NewKey, Scope, create_key, rotate_key
from serving.store.opening import open_store
from serving.store.protocol import KeyRecord, OnlineStore

_DAY = 86_400


def _seconds(_: click.Context, __: click.Parameter, text: str) -> int:
    form = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if form is None:
        raise click.BadParameter(f"'{text}' is no time: a number and s, m, h or d")
    return int(form[1]) * {"s": 1, "m": 60, "h": 3600, "d": _DAY}[form[2]]


@contextmanager
def store_of(home: Home) -> Iterator[OnlineStore]:
    """The online store of ``home`` for as long as the block lasts."""
    store = open_store(home)
    try:
        yield store
    finally:
        store.close()


def new_key(home: Home, name: str, scopes: tuple[str, ...], days: int | None = None) -> NewKey:
    """Make a key in the store of ``home``; it ends after ``days``."""
    with store_of(home) as store:
        lifetime = None if days is None else days * _DAY
        return create_key(store, name, scopes, now=int(time.time()), lifetime_seconds=lifetime)


@command("create", example="mallard keys create mall-backend --scope recommend --scope ingest")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice([s.value for s in Scope]),
              help="What the key opens; give it once for each.")  # fmt: skip
@click.option("--days", type=click.IntRange(min=1), help="Ends after so many days; else never.")
@pass_session
def create(session: Session, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a key and show it, this once: only its hash is kept."""
    key = new_key(session.home, name, scopes, days)
    session.answer(
        {**_document(key.record), "key": key.text},
        f"{key.text}\n\nThis is the only time the key is shown. Send it as X-API-Key.\n"
        f"id {key.record.id}, scopes {', '.join(key.record.scopes)}",
    )


@command("rotate", example="mallard keys rotate mall-backend --overlap 24h")
@click.argument("name")
@click.option("--overlap", default="24h", callback=_seconds, metavar="TIME",
              help="How long the old key still opens: 0s, 30m, 24h, 7d.")  # fmt: skip
@click.option("--days", type=click.IntRange(min=1), help="The new key ends after so many days; else never.")
@pass_session
def rotate(session: Session, name: str, overlap: int, days: int | None) -> None:
    """Make a new key of the same name and scopes; the old one ends after the overlap."""
    with store_of(session.home) as store:
        lifetime = None if days is None else days * _DAY
        key, ending = rotate_key(store, name, now=int(time.time()), overlap_seconds=overlap, lifetime_seconds=lifetime)
    old = ", ".join(record.id for record in ending)
    ends_at = key.record.created_at + overlap
    session.answer(
        {**_document(key.record), "key": key.text, "ending": [record.id for record in ending], "ending_at": ends_at},
        f"{key.text}\n\nThis is the only time the key is shown. Send it as X-API-Key.\n"
        f"id {key.record.id}; {old} ends at {_moment(ends_at)} UTC",
    )


@command("list", example="mallard keys list")
@pass_session
def list_keys(session: Session) -> None:
    """Show every key without its secret."""
    with store_of(session.home) as store:
        records = store.keys()
    rows = [
        [r.id, r.name, ",".join(r.scopes), _moment(r.created_at), _moment(r.expires_at), _moment(r.revoked_at)]
        for r in records
    ]
    text = columns(["id", "name", "scopes", "created", "ends", "revoked"], rows) if rows else "there are no keys yet"
    session.answer([_document(record) for record in records], text)


@command("revoke", example="mallard keys revoke 3f9a1c0b7d21")
@click.argument("key_id", metavar="ID")
@pass_session
def revoke(session: Session, key_id: str) -> None:
    """Make a key useless at once."""
    with store_of(session.home) as store:
        if not store.revoke_key(key_id, int(time.time())):
            raise UnknownNameError(f"there is no live key '{key_id}'; see 'mallard keys list'")
    session.answer({"id": key_id, "revoked": True}, f"key {key_id} is revoked")


def _document(record: KeyRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in ("id", "name", "scopes", "created_at", "expires_at", "revoked_at")}


def _moment(seconds: int | None) -> str:
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


keys = group("keys", "Make, list, rotate and revoke API keys.", create, list_keys, rotate, revoke)
