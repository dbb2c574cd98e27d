"""Identities of the users table: hashed before they are kept, and as links."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.contracts.knowledge import ID_KIND
from features.identity.key import IdentityKey
from features.identity.kinds import STRONG_KINDS, kind_named
from features.identity.links import VALUE

_IDENTITY_SCHEMA: Final = pa.schema(
    [pa.field(ID_KIND, pa.string()), pa.field(VALUE, pa.string()), pa.field(c.USER_ID, pa.string())]
)


def hash_identities(users: pa.Table, key: IdentityKey) -> pa.Table:
    """``users`` (``USER_SCHEMA``) with every value of ``identities`` hashed; hashed ones stay as they are.

    A value is a text, a number or a list of them; what is no identity (empty, ``unknown``) is left out. Raises
    :class:`InputError` that names the user for ``identities`` of another form.
    """
    column = users.column(c.IDENTITIES)
    if column.null_count == len(column):
        return users
    hashed = pa.array(
        [
            None if text is None else _hashed(text, user, key)
            for user, text in zip(users.column(c.USER_ID).to_pylist(), column.to_pylist(), strict=True)
        ],
        pa.string(),
    )
    return users.set_column(users.schema.get_field_index(c.IDENTITIES), c.IDENTITIES, hashed)


def strong_identities(users: pa.Table) -> pa.Table:
    """``(kind, value, user)`` of every strong identity of ``users``, whose identities are hashed."""
    found: dict[str, list[str]] = defaultdict(list)
    given = users.filter(pc.is_valid(users.column(c.IDENTITIES)))
    strong = {kind.value for kind in STRONG_KINDS}
    for user, text in zip(given.column(c.USER_ID).to_pylist(), given.column(c.IDENTITIES).to_pylist(), strict=True):
        for kind, value in orjson.loads(text).items():
            if kind in strong:
                for one in value if isinstance(value, list) else (value,):
                    found[ID_KIND].append(kind)
                    found[VALUE].append(one)
                    found[c.USER_ID].append(user)
    return pa.table([pa.array(found[f.name], f.type) for f in _IDENTITY_SCHEMA], schema=_IDENTITY_SCHEMA)


def hashed_identities(given: Mapping[str, object], user: str, key: IdentityKey) -> dict[str, str | list[str]]:
    """Identities of one user, kind to value or values, hashed; what is no identity is left out."""
    kept: dict[str, str | list[str]] = {}
    for name, value in given.items():
        kind = kind_named(name)
        hashes = [h for one in (value if isinstance(value, list) else [value]) if (h := _one(one, kind, user, key))]
        if hashes:
            kept[kind] = hashes if isinstance(value, list) else hashes[0]
    return kept


def _hashed(text: str, user: str, key: IdentityKey) -> str | None:
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"user '{user}': {c.IDENTITIES} is not valid JSON") from error
    if not isinstance(given, dict):
        raise InputError(f"user '{user}': {c.IDENTITIES} must be a JSON object of kind and value")
    kept = hashed_identities(given, user, key)
    return orjson.dumps(kept).decode() if kept else None


def _one(value: object, kind: str, user: str, key: IdentityKey) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"user '{user}': the {kind} in {c.IDENTITIES} must be a text or a list of texts")
    return key.hash(kind, str(value))
