"""Raw tables, whose columns may be missing or typed loosely, as the relations that tags read."""

from collections.abc import Mapping
from typing import Final

import ibis

from features.contracts import columns as c
from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.contracts.errors import InputError
from features.tags.spec.columns import DAY, DEPARTMENT, HOUR, ORDER_KEY
from features.tags.spec.vocabulary import Value

_MUST: Final = (c.USER_ID, c.EVENT_TYPE, c.OCCURRED_AT)
_EVENT_TYPES: Final = {
    c.EVENT_ID: "string",
    c.USER_ID: "string",
    c.EVENT_TYPE: "string",
    c.ITEM_ID: "string",
    c.OCCURRED_AT: "timestamp",
    c.RECEIVED_AT: "timestamp",
    c.SESSION_ID: "string",
    c.CHANNEL: "string",
    c.ORDER_ID: "string",
    c.QUANTITY: "float64",
    c.AMOUNT: "float64",
}
_ITEM_TYPES: Final = {c.ITEM_ID: "string", c.CATEGORY: "string", c.BRAND: "string"}
_USER_TYPES: Final = {
    c.USER_ID: "string",
    c.DEMOGRAPHICS: "string",
    c.REGISTERED_AT: "timestamp",
    c.SOURCE_CHANNEL: "string",
    c.MEMBER_LEVEL: "string",
    c.CONSENT_PERSONALIZATION: "boolean",
    c.CONSENT_MARKETING: "boolean",
}


def events_of(raw: Value) -> Value:
    """Event rows as partial tables are folded from them. Rows without a user or a time are left out.

    Raises :class:`InputError` when the user, the type or the time is no column at all.
    """
    missing = [name for name in _MUST if name not in raw.columns]
    if missing:
        raise InputError(f"events have no column {', '.join(missing)}")
    rows = _typed(raw, _EVENT_TYPES)
    if c.EVENT_ID not in raw.columns:
        # Purchases without any id must not fall together into one order.
        rows = rows.mutate(**{c.EVENT_ID: ibis.row_number().cast("string")})
    rows = rows.filter(rows[c.USER_ID].notnull(), rows[c.OCCURRED_AT].notnull())
    rows = rows.mutate(
        **{
            ORDER_KEY: ibis.coalesce(rows[c.ORDER_ID], rows[c.EVENT_ID]),
            DAY: rows[c.OCCURRED_AT].date(),
            HOUR: rows[c.OCCURRED_AT].hour().cast("int64"),
        }
    )
    return rows.drop(c.ORDER_ID, c.EVENT_ID)


def items_of(raw: Value) -> Value:
    """One row per item. The catalogue has no history: tags see it as it stands."""
    rows = _typed(raw, _ITEM_TYPES).distinct(on=c.ITEM_ID)
    return rows.mutate(**{DEPARTMENT: rows[c.CATEGORY].split(CATEGORY_SEPARATOR)[0]})


def users_of(raw: Value) -> Value:
    """One row per user. The users table has no history: tags see it as it stands."""
    return _typed(raw, _USER_TYPES).distinct(on=c.USER_ID)


def _typed(raw: Value, types: Mapping[str, str]) -> Value:
    """The columns of ``types``, cast to them; a missing column is null."""
    return raw.select(
        **{name: raw[name].cast(kind) if name in raw.columns else ibis.null(kind) for name, kind in types.items()}
    )
