"""Raw tables, whose columns may be missing or typed loosely, as the relations that tags read."""

from collections.abc import Collection, Mapping
from typing import Final

import ibis

from features.contracts import columns as c
from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.contracts.errors import InputError
from features.contracts.events import EventType
from features.tags.spec.columns import DAY, DEPARTMENT, HOUR, ORDER_KEY, PROPERTIES
from features.tags.spec.vocabulary import Value

_MUST: Final = (c.USER_ID, c.EVENT_TYPE, c.OCCURRED_AT)
_EVENT_TYPES: Final = {
    c.EVENT_ID: "string",
    c.USER_ID: "string",
    c.ANONYMOUS_ID: "string",
    c.EVENT_TYPE: "string",
    c.ITEM_ID: "string",
    c.OCCURRED_AT: "timestamp",
    c.RECEIVED_AT: "timestamp",
    c.SESSION_ID: "string",
    c.CHANNEL: "string",
    c.ORDER_ID: "string",
    c.QUANTITY: "float64",
    c.AMOUNT: "float64",
    c.PROPERTIES: "string",
}
_ITEM_TYPES: Final = {c.ITEM_ID: "string", c.CATEGORY: "string", c.BRAND: "string", c.PRICE: "float64"}
_NUMBER: Final = r"-?[0-9]{1,15}(?:[.][0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?"
#: What a value looks like in JSON text. An id may be written as a number.
_JSON: Final = {"float64": _NUMBER, "string": rf'"(?:[^"\\]|\\.)*"|{_NUMBER}'}
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
    """Event rows as :mod:`features.engine.known` takes them. Rows without a time are left out.

    Raises :class:`InputError` when the user, the type or the time is no column at all.
    """
    missing = [name for name in _MUST if name not in raw.columns]
    if missing:
        raise InputError(f"events have no column {', '.join(missing)}")
    rows = _typed(raw, _EVENT_TYPES)
    if c.EVENT_ID not in raw.columns:
        # Purchases without any id must not fall together into one order.
        rows = rows.mutate(**{c.EVENT_ID: ibis.row_number().cast("string")})
    rows = rows.filter(rows[c.OCCURRED_AT].notnull())
    rows = rows.mutate(
        **{
            ORDER_KEY: ibis.coalesce(rows[c.ORDER_ID], rows[c.EVENT_ID]),
            DAY: rows[c.OCCURRED_AT].date(),
            HOUR: rows[c.OCCURRED_AT].hour().cast("int64"),
            **{key: _property(rows, key, kind, events) for key, (kind, events) in PROPERTIES.items()},
        }
    )
    return rows.drop(c.PROPERTIES)


def items_of(raw: Value) -> Value:
    """One row per item. The catalogue has no history: tags see it as it stands."""
    rows = _typed(raw, _ITEM_TYPES).distinct(on=c.ITEM_ID)
    return rows.mutate(**{DEPARTMENT: rows[c.CATEGORY].split(CATEGORY_SEPARATOR)[0]})


def users_of(raw: Value) -> Value:
    """One row per user. The users table has no history: tags see it as it stands."""
    return _typed(raw, _USER_TYPES).distinct(on=c.USER_ID)


def _property(rows: Value, key: str, kind: str, events: Collection[EventType]) -> Value:
    """One value of the flat JSON text ``properties``, on ``events`` only; null where it is of another type.

    By pattern: engines differ in what they call JSON, and none but the rows of ``events`` are looked into. Inside a
    string value a quote is escaped, so ``"key":`` is found as a key only.
    """
    told = rows[c.PROPERTIES].re_extract(rf'"{key}"\s*:\s*({_JSON[kind]})\s*[,}}]', 1).nullif("")
    value = told.try_cast(kind) if kind == "float64" else told.replace('"', "").nullif("")
    return ibis.ifelse(rows[c.EVENT_TYPE].isin([event.value for event in events]), value, ibis.null(kind))


def _typed(raw: Value, types: Mapping[str, str]) -> Value:
    """The columns of ``types``, cast to them; a missing column is null."""
    return raw.select(
        **{name: raw[name].cast(kind) if name in raw.columns else ibis.null(kind) for name, kind in types.items()}
    )
