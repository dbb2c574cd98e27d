"""The one way from Arrow rows of the event contract (lake or benchmark) to the arrays that models learn from."""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.catalogue import CATEGORY_SEPARATOR
from features.contracts.errors import InputError
from features.contracts.events import EVENT_TYPES, ITEM_EVENTS, EventType
from features.contracts.ids import IdMap
from training.interactions import UNTOLD, Clock, Float32, Int16, Int32, Int64, Interactions, ItemCatalogue
from training.words import attribute_words, words_of

_MICROSECONDS = 1_000_000


def interactions_from_events(
    events: pa.Table,
    items: pa.Table | None = None,
    *,
    ordered: bool = True,
    kinds: Collection[EventType] = ITEM_EVENTS,
    regions: Mapping[str, str] | None = None,
) -> Interactions:
    """Events of ``kinds`` that name an item, as :class:`Interactions`.

    ``events`` has columns of the event contract; absent optional columns count as unknown. The item map holds every
    item of the events and of ``items``. When ``occurred_at`` is null throughout, row order is the order of events
    (:attr:`Clock.ORDERED`) or, with ``ordered=False``, means nothing (:attr:`Clock.NONE`). ``regions`` says by user id
    where somebody lives.

    Raises :class:`InputError` when no row is left or only some rows have a time.
    """
    words = pa.array([str(kind) for kind in kinds])
    keep = pc.and_(pc.is_in(events[c.EVENT_TYPE], words), pc.is_valid(events[c.ITEM_ID]))
    rows = events.filter(keep)
    if rows.num_rows == 0:
        raise InputError(f"no event of the types {', '.join(words.to_pylist())} names an item: nothing to learn from")

    who = rows[c.USER_ID]
    if c.ANONYMOUS_ID in rows.column_names:
        who = pc.coalesce(who, rows[c.ANONYMOUS_ID])
    users, user = _encode(who)
    items_map, item = _encode(rows[c.ITEM_ID], also=items[c.ITEM_ID] if items is not None else None)
    clock, time = _clock(rows, ordered)
    kind_codes = pc.index_in(rows[c.EVENT_TYPE], pa.array([str(k) for k in EVENT_TYPES]))
    kind = kind_codes.to_numpy().astype(np.int8)

    # A stable sort: rows of one moment keep the order in which they came.
    order = np.lexsort((time, user)) if clock is Clock.TIMED else np.argsort(user, kind="stable")
    time = _positions(user[order]) if clock is Clock.ORDERED else time[order]
    channel, channel_names = _channels(rows)
    region, region_names = _regions(users, regions or {})
    return Interactions(
        users=users,
        items=items_map,
        user=user[order],
        item=item[order],
        kind=kind[order],
        time=time,
        quantity=_floats(rows, c.QUANTITY, missing=1.0)[order],
        amount=_floats(rows, c.AMOUNT, missing=np.nan)[order],
        basket=_baskets(rows)[order],
        clock=clock,
        catalogue=catalogue_of(items_map, items),
        channel=channel[order],
        region=region[user[order]],
        channel_names=channel_names,
        region_names=region_names,
    )


def catalogue_of(ids: IdMap, items: pa.Table | None) -> ItemCatalogue:
    """Align an item table with ``ids``; items that the table does not hold are unknown."""
    if items is None or items.num_rows == 0:
        return ItemCatalogue.unknown(len(ids))
    place = ids.indices(items[c.ITEM_ID].to_pylist())
    paths = _texts(items, c.CATEGORY)
    tops = [path.split(CATEGORY_SEPARATOR)[0] if path else None for path in paths]
    category, category_names = _codes(paths, place, len(ids))
    department, _ = _codes(tops, place, len(ids))
    brand, brand_names = _codes(_texts(items, c.BRAND), place, len(ids))
    price = np.full(len(ids), np.nan, dtype=np.float32)
    if c.PRICE in items.column_names:
        price[place] = pc.cast(items[c.PRICE], pa.float32()).to_numpy(zero_copy_only=False)
    shop, _ = _codes(_texts(items, c.SHOP), place, len(ids))
    word_start, word = _words(items, place, len(ids))
    return ItemCatalogue(
        category,
        department,
        brand,
        price,
        category_names,
        brand_names,
        shop=shop,
        published_at=_published(items, place, len(ids)),
        word_start=word_start,
        word=word,
    )


def _encode(values: pa.ChunkedArray, also: pa.ChunkedArray | None = None) -> tuple[IdMap, Int32]:
    encoded = pc.dictionary_encode(values).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    distinct = encoded.dictionary.to_pylist()
    ids = IdMap.of([*distinct, *(also.to_pylist() if also is not None else [])])
    place = ids.indices(distinct)
    codes = place[encoded.indices.to_numpy(zero_copy_only=False)]
    return ids, codes.astype(np.int32)


def _clock(rows: pa.Table, ordered: bool) -> tuple[Clock, Int64]:
    nothing = np.zeros(rows.num_rows, dtype=np.int64)
    if c.OCCURRED_AT not in rows.column_names or rows[c.OCCURRED_AT].null_count == rows.num_rows:
        return (Clock.ORDERED if ordered else Clock.NONE), nothing
    column = rows[c.OCCURRED_AT]
    if column.null_count:
        raise InputError(
            f"{column.null_count} of {rows.num_rows} events have no {c.OCCURRED_AT}; give it for all or none"
        )
    micros = pc.cast(column, pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    return Clock.TIMED, (micros // _MICROSECONDS).astype(np.int64)


def _positions(sorted_user: Int32) -> Int64:
    starts = np.flatnonzero(np.diff(sorted_user, prepend=-1))
    lengths = np.diff(np.append(starts, len(sorted_user)))
    return np.arange(len(sorted_user), dtype=np.int64) - np.repeat(starts, lengths)


def _floats(rows: pa.Table, column: str, missing: float) -> Float32:
    if column not in rows.column_names:
        return np.full(rows.num_rows, missing, dtype=np.float32)
    filled = pc.fill_null(pc.cast(rows[column], pa.float64()), missing)
    values: Float32 = filled.to_numpy().astype(np.float32)
    return values


def _baskets(rows: pa.Table) -> Int64:
    if c.ORDER_ID not in rows.column_names:
        return np.full(rows.num_rows, -1, dtype=np.int64)
    encoded = pc.dictionary_encode(rows[c.ORDER_ID]).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    codes: Int64 = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _channels(rows: pa.Table) -> tuple[Int16, tuple[str, ...]]:
    """(rows,) codes of the channels, and their names in alphabetical order."""
    if c.CHANNEL not in rows.column_names:
        return np.full(rows.num_rows, UNTOLD, dtype=np.int16), ()
    column = rows[c.CHANNEL]
    names = sorted(name for name in pc.unique(column).to_pylist() if name)
    codes = pc.fill_null(pc.index_in(column, pa.array(names, pa.string())), UNTOLD)
    return codes.to_numpy().astype(np.int16), tuple(names)


def _regions(users: IdMap, regions: Mapping[str, str]) -> tuple[Int16, tuple[str, ...]]:
    """(users,) codes of where they live, and the names in alphabetical order."""
    codes = np.full(len(users), UNTOLD, dtype=np.int16)
    names = sorted({name for name in regions.values() if name})
    code_of = {name: code for code, name in enumerate(names)}
    known = [(user, code_of[name]) for user, name in regions.items() if name]
    place = users.indices([user for user, _ in known])
    there = place >= 0
    codes[place[there]] = np.array([code for _, code in known], dtype=np.int16)[there]
    return codes, tuple(names)


def _published(items: pa.Table, place: Int32, n: int) -> Int64:
    seconds = np.full(n, -1, dtype=np.int64)
    if c.PUBLISHED_AT in items.column_names:
        micros = pc.cast(items[c.PUBLISHED_AT], pa.timestamp("us", tz="UTC")).cast(pa.int64())
        seconds[place] = pc.fill_null(micros, -_MICROSECONDS).to_numpy() // _MICROSECONDS
    return seconds


def _words(items: pa.Table, place: Int32, n: int) -> tuple[Int64, Int32]:
    """Words that at least two items share, as compressed rows (see :class:`ItemCatalogue`)."""
    words: list[set[str]] = [set() for _ in range(n)]
    texts = zip(place.tolist(), _texts(items, c.TITLE), _texts(items, c.ATTRIBUTES), strict=True)
    for item, title, attributes in texts:
        words[item] = words_of(title or "") | attribute_words(attributes or "")
    shared = sorted(word for word, items_ in Counter(chain.from_iterable(words)).items() if items_ > 1)
    code_of = {word: code for code, word in enumerate(shared)}
    rows = [sorted(code_of[word] for word in row if word in code_of) for row in words]
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return start, np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(start[-1]))


def _texts(items: pa.Table, column: str) -> list[str | None]:
    if column not in items.column_names:
        return [None] * items.num_rows
    texts: list[str | None] = items[column].to_pylist()
    return texts


def _codes(texts: list[str | None], place: Int32, n: int) -> tuple[Int32, tuple[str, ...]]:
    names = sorted({t for t in texts if t})
    code_of = {name: code for code, name in enumerate(names)}
    codes: npt.NDArray[np.int32] = np.full(n, -1, dtype=np.int32)
    codes[place] = [code_of[t] if t else -1 for t in texts]
    return codes, tuple(names)
