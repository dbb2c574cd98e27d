"""API keys: random secrets that are shown once and kept as hashes, each with scopes and an optional end."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from features.contracts.errors import InputError, UnknownNameError
from serving.store.protocol import KeyRecord, OnlineStore

_FORM = re.compile(r"mk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
#: The name of the key that ``mallard demo`` makes and prints. It opens from this machine only.
DEMO = "demo"
_NOBODY = hashlib.sha256(b"").hexdigest()


class Scope(StrEnum):
    """What a key opens."""

    RECOMMEND = "recommend"
    RISK = "risk"
    MARKETING = "marketing"
    INGEST = "ingest"
    ADMIN = "admin"


@dataclass(frozen=True)
class NewKey:
    """A key at its only showing: ``text`` is what a caller sends, ``record`` what is kept."""

    text: str
    record: KeyRecord


def create_key(
    store: OnlineStore, name: str, scopes: Collection[str], *, now: int, lifetime_seconds: int | None = None
) -> NewKey:
    """Make and keep a key. Raises :class:`InputError` for an unknown scope, no scope, or an empty name."""
    if not name.strip():
        raise InputError("a key needs a name, so that one knows later whose it is")
    known = [scope.value for scope in Scope]
    for scope in scopes:
        if scope not in known:
            raise InputError(f"there is no scope '{scope}'; the scopes are {', '.join(known)}")
    if not scopes:
        raise InputError(f"a key needs at least one scope of {', '.join(known)}")
    if lifetime_seconds is not None and lifetime_seconds <= 0:
        raise InputError(f"the lifetime of a key must be positive, not {lifetime_seconds} seconds")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    record = KeyRecord(
        id=key_id,
        name=name.strip(),
        hash=_hash(secret),
        scopes=tuple(scope for scope in known if scope in scopes),
        created_at=now,
        expires_at=None if lifetime_seconds is None else now + lifetime_seconds,
    )
    store.add_key(record)
    return NewKey(f"mk_{key_id}_{secret}", record)


def rotate_key(
    store: OnlineStore, name: str, *, now: int, overlap_seconds: int, lifetime_seconds: int | None = None
) -> tuple[NewKey, list[KeyRecord]]:
    """A new key with the scopes of the live keys called ``name``, which end after ``overlap_seconds``.

    Returns the new key and the ones that end. Raises :class:`UnknownNameError` when no live key has the name.
    """
    if overlap_seconds < 0:
        raise InputError(f"the overlap must not be negative, found {overlap_seconds} seconds")
    known: list[KeyRecord] = store.keys()
    ending = [record for record in known if record.name == name and is_live(record, now)]
    if not ending:
        raise UnknownNameError(f"there is no live key named '{name}'; see 'mallard keys list'")
    scopes = {scope for record in ending for scope in record.scopes}
    new = create_key(store, name, scopes, now=now, lifetime_seconds=lifetime_seconds)
    for record in ending:
        store.revoke_key(record.id, now + overlap_seconds)
    return new, ending


def is_live(record: KeyRecord, now: int) -> bool:
    """Whether the key has not ended: a revocation may lie ahead, when the key is being rotated."""
    ends = [moment for moment in (record.expires_at, record.revoked_at) if moment is not None]
    return all(now < moment for moment in ends)


def key_id_of(text: str) -> str | None:
    """The id in the text of a key; None when it does not look like one of ours."""
    form = _FORM.fullmatch(text)
    return form[1] if form else None


def opens(record: KeyRecord | None, text: str, *, now: int) -> bool:
    """Whether ``text`` is the secret of ``record``, and the key is live.

    An unknown id costs the same comparison as a wrong secret. The secret has 256 random bits, so one plain hash is
    enough: there is nothing to guess.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        return False
    right = hmac.compare_digest(_hash(form[2]), record.hash if record else _NOBODY)
    return record is not None and right and is_live(record, now)


def check_key(store: OnlineStore, text: str, *, now: int) -> KeyRecord | None:
    """The key that ``text`` is, or None when it is none of ours, expired or revoked."""
    key_id = key_id_of(text)
    if key_id is None:
        return None
    record = store.key(key_id)
    return record if opens(record, text, now=now) else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
