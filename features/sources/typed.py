"""From values as they came to the types of the contract. What cannot be read becomes null and is marked."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import EventType

#: Number of a moment -> microseconds since 1970. Digits may be a date (19970101), a date with time
#: (19970101123000), or an epoch in seconds, milli-, micro- or nanoseconds, told apart by their size.
_MACROS = """
SET TimeZone = 'UTC';
CREATE TEMP MACRO calendar_moment(digits, shape) AS CAST(try_strptime(digits, shape) AS TIMESTAMPTZ);
CREATE TEMP MACRO epoch_moment(n) AS CAST(CASE
    WHEN abs(n) < 1e11 THEN make_timestamp(CAST(n * 1000000 AS BIGINT))
    WHEN abs(n) < 1e14 THEN make_timestamp(CAST(n * 1000 AS BIGINT))
    WHEN abs(n) < 1e17 THEN make_timestamp(CAST(n AS BIGINT))
    WHEN abs(n) < 9e18 THEN make_timestamp(CAST(n / 1000 AS BIGINT)) END AS TIMESTAMPTZ);
CREATE TEMP MACRO number_moment(n) AS CASE
    WHEN n BETWEEN 19000101 AND 21001231 AND n = floor(n)
        THEN coalesce(calendar_moment(CAST(CAST(n AS BIGINT) AS VARCHAR), '%Y%m%d'), epoch_moment(n))
    WHEN n BETWEEN 19000101000000 AND 21001231235959 AND n = floor(n)
        THEN coalesce(calendar_moment(CAST(CAST(n AS BIGINT) AS VARCHAR), '%Y%m%d%H%M%S'), epoch_moment(n))
    ELSE epoch_moment(n) END;
CREATE TEMP MACRO iso_moment(t) AS CASE WHEN regexp_matches(t, '^[0-9]{4}[-/]') THEN TRY_CAST(t AS TIMESTAMPTZ) END;
CREATE TEMP MACRO text_moment(t) AS coalesce(iso_moment(t), number_moment(TRY_CAST(t AS DOUBLE)));
CREATE TEMP MACRO whole_text(x) AS CASE
    WHEN isnan(x) THEN NULL
    WHEN x = floor(x) AND abs(x) < 1e15 THEN CAST(CAST(x AS BIGINT) AS VARCHAR) ELSE CAST(x AS VARCHAR) END;
"""


@dataclass(frozen=True)
class TypedRows:
    """``n`` rows in the types of a schema.

    ``unreadable`` marks, per column, the rows that had a value which is not of the column's type; that value is null
    in ``values``. Columns without such rows are absent.
    """

    values: pa.Table
    unreadable: Mapping[str, pa.BooleanArray]


class Typist:
    """Brings raw rows to the types of ``schema``. Holds a private in-memory DuckDB; one thread at a time."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._connection = duckdb.connect()
        self._connection.execute(_MACROS)

    def type_rows(
        self, rows: pa.Table, columns: Mapping[str, str], event_map: Mapping[str, str] | None = None
    ) -> TypedRows:
        """``columns`` maps a column of the schema to a column of ``rows``; others become null.

        An absent event type means purchase.
        """
        found: dict[str, pa.ChunkedArray] = {}
        selected: list[str] = []
        doubtful: list[str] = []
        for field in self._schema:
            origin = columns.get(field.name)
            if origin is None or rows.column(origin).null_count == len(rows):
                found[field.name] = pa.chunked_array([pa.nulls(len(rows), field.type)])
                continue
            column = _plain(rows.column(origin))
            at_once = _read_at_once(column, field.type)
            if at_once is not None:
                found[field.name] = at_once
                continue
            raw = '"' + origin.replace('"', '""') + '"'
            value, may_fail = _expression(raw, column.type, field.type)
            selected.append(f'{value} AS "{field.name}"')
            if may_fail:
                given = f"nullif(trim(CAST({raw} AS VARCHAR)), '')"
                selected.append(f'({given} IS NOT NULL AND {value} IS NULL) AS "unreadable {field.name}"')
                doubtful.append(field.name)
        if selected:
            table = self._connection.from_arrow(rows).project(", ".join(selected)).to_arrow_table()
            found |= {n: table.column(n) for n in table.column_names}
        if c.EVENT_TYPE in self._schema.names:
            found[c.EVENT_TYPE] = _event_words(found[c.EVENT_TYPE], event_map or {}, absent=c.EVENT_TYPE not in columns)
        marks = {n: found[f"unreadable {n}"].combine_chunks() for n in doubtful}
        return TypedRows(
            values=pa.table([found[f.name].cast(f.type) for f in self._schema], names=self._schema.names),
            unreadable={n: mark for n, mark in marks.items() if mark.true_count},
        )


_TEXT_TYPES = (pa.string(), pa.large_string(), pa.string_view())

_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
}


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """``column`` without dictionary encoding, text as ``string``."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return column.cast(pa.string() if _is_text(kind) else kind)


def _read_at_once(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray | None:
    """``column`` as ``wanted`` where Arrow can do it without a doubt, else ``None``.

    The ordinary case, and cheap enough for a batch of one request. Where Arrow reads a value, the general form reads
    the same.
    """
    given = column.type
    if _is_text(given) and pa.types.is_string(wanted):
        return pc.if_else(pc.equal(column, ""), None, column)
    if pa.types.is_integer(given) and pa.types.is_string(wanted):
        return column.cast(wanted)
    if (pa.types.is_timestamp(given) or pa.types.is_date(given)) and pa.types.is_timestamp(wanted):
        return column.cast(pa.timestamp("us", tz=getattr(given, "tz", None)), safe=False).cast(wanted)
    if (pa.types.is_integer(given) or pa.types.is_floating(given)) and pa.types.is_float64(wanted):
        return column.cast(wanted, safe=False)
    return _parse_at_once(column, wanted) if _is_text(given) else None


def _parse_at_once(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray | None:
    # Arrow reads times with a zone and times without one, never both in one column.
    for kind in (wanted, pa.timestamp("us")) if pa.types.is_timestamp(wanted) else (wanted,):
        try:
            return column.cast(kind).cast(wanted)
        except pa.ArrowInvalid:
            continue
    return None


def _expression(raw: str, given: pa.DataType, wanted: pa.DataType) -> tuple[str, bool]:
    """SQL that reads ``raw``, a column of type ``given``, as ``wanted``, and whether it can fail on a value."""
    text = f"CAST({raw} AS VARCHAR)"
    if pa.types.is_string(wanted):
        return _as_text(raw, given), False
    if pa.types.is_timestamp(wanted):
        if pa.types.is_integer(given) or pa.types.is_floating(given):
            return f"number_moment(CAST({raw} AS DOUBLE))", True
        return f"text_moment(trim({text}))", True
    sql_type = _SQL_TYPES[wanted]
    return (f"TRY_CAST(trim({text}) AS {sql_type})" if _is_text(given) else f"TRY_CAST({raw} AS {sql_type})"), True


def _as_text(raw: str, given: pa.DataType) -> str:
    if pa.types.is_floating(given):
        return f"whole_text({raw})"
    if pa.types.is_list(given) or pa.types.is_large_list(given):
        return f"nullif(array_to_string({raw}, ' > '), '')"
    if pa.types.is_nested(given):
        return f"CAST(to_json({raw}) AS VARCHAR)"
    return f"CAST({raw} AS VARCHAR)"


def _event_words(words: pa.ChunkedArray, event_map: Mapping[str, str], *, absent: bool) -> pa.ChunkedArray:
    if absent:
        return pa.chunked_array([pa.repeat(str(EventType.PURCHASE), len(words))])
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(words))
    if not event_map:
        return plain
    targets = pa.array([str(kind) for kind in event_map.values()], pa.string())
    return pc.coalesce(targets.take(pc.index_in(words, pa.array(list(event_map), pa.string()))), plain)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return kind in _TEXT_TYPES
