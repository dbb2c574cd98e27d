"""Which users were one, over time: connected components of users and the identities they share.

A component is worked out for every moment at which one of its links began or ended. All moments of all components go
into one graph, whose parts do not touch, so that :func:`scipy.sparse.csgraph.connected_components` (Pearce 2005) solves
them in time linear in its edges; components of ordinary size have a handful of links and moments.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from features.contracts import columns as c
from features.contracts.knowledge import ID_KIND
from features.identity.links import VALUE
from features.identity.spans import FIRST, SINCE, UNTIL, shared_spans, users_of

Ints = npt.NDArray[np.int64]

#: Without end, in microseconds since 1970; also stands for "never".
OPEN = 2**62
#: Before everything.
ALWAYS = -(2**62)

_EDGES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Timelines:
    """For whom users counted. Rows of one user are in order of time, without gaps, from :data:`ALWAYS` to :data:`OPEN`.

    Users who were always themselves have no row.
    """

    ids: pa.Array  # (k,) user ids, which the other arrays index
    user: Ints  # (n,)
    canonical: Ints  # (n,)
    since: Ints  # (n,) microseconds since 1970, UTC
    until: Ints  # (n,)


def timelines(connection: duckdb.DuckDBPyConnection, links: pa.Table) -> Timelines:
    """Resolve ``links`` (``LINK_SCHEMA``), in any order, each row any number of times.

    The users of a component count for the one whose id was heard of first; of those the least by name.
    """
    spans = shared_spans(connection, links)
    if not len(spans):
        nothing = np.empty(0, np.int64)
        return Timelines(pa.array([], pa.string()), nothing, nothing, nothing, nothing)
    ids = pc.unique(spans.column(c.USER_ID)).sort()
    first = users_of(connection, links.filter(pc.is_in(links.column(c.USER_ID), ids))).sort_by(
        [(FIRST, "ascending"), (c.USER_ID, "ascending")]
    )
    ids = first.column(c.USER_ID).combine_chunks()  # by rank: the canonical user of a set is its least index
    user = pc.index_in(spans.column(c.USER_ID), ids).to_numpy().astype(np.int64)
    name = pc.binary_join_element_wise(spans.column(ID_KIND), spans.column(VALUE), "\0").combine_chunks()
    value = name.dictionary_encode().indices.to_numpy().astype(np.int64)
    since = _microseconds(spans.column(SINCE), OPEN)
    until = _microseconds(spans.column(UNTIL), OPEN)
    group = _components(len(ids), user, value)[user]
    rows = [_settle(*part, len(ids)) for part in _parts(user, value, since, until, group)]
    return _without_unchanged(ids, *(np.concatenate(column) for column in zip(*rows, strict=True)))


def _parts(user: Ints, value: Ints, since: Ints, until: Ints, group: Ints) -> list[tuple[Ints, Ints, Ints, Ints]]:
    """Links repeated for each moment of their component at which they held, in pieces of bounded size.

    Returns (user, value, number of the component's moment, the moment) per piece; a moment is never cut.
    """
    moments = np.concatenate([since, until[until != OPEN]])
    owners = np.concatenate([group, group[until != OPEN]])
    order = np.lexsort((moments, owners))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(owners[order]) != 0) | (np.diff(moments[order]) != 0)
    owners, moments = owners[order][fresh], moments[order][fresh]  # the moments of every component, in order
    links = np.argsort(group, kind="stable")
    start = np.searchsorted(group[links], owners, "left")
    count = np.searchsorted(group[links], owners, "right") - start
    pieces = []
    ends = np.cumsum(count)
    low = 0
    while low < len(owners):
        high = max(int(np.searchsorted(ends, (ends[low - 1] if low else 0) + _EDGES_AT_ONCE, "right")), low + 1)
        many = count[low:high]
        number = np.repeat(np.arange(low, high), many)
        offset = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        link = links[np.repeat(start[low:high], many) + offset]
        # Links that do not hold stay in as users without a link: they are themselves at that moment.
        held = (since[link] <= moments[number]) & (moments[number] < until[link])
        pieces.append((user[link], np.where(held, value[link], -1), number, moments[number]))
        low = high
    return pieces


def _settle(user: Ints, value: Ints, number: Ints, moment: Ints, users: int) -> tuple[Ints, Ints, Ints]:
    """(user, canonical user, from when) of one piece."""
    seat, seats = _dense(number * users + user)
    held = value >= 0
    place, places = _dense(number[held] * (int(value.max()) + 1) + value[held])
    label = _components(len(seats), seat[held], place, len(places))
    least = np.full(int(label.max()) + 1, users, np.int64)
    who = seats % users
    np.minimum.at(least, label, who)
    when = np.empty(len(seats), np.int64)
    when[seat] = moment
    return who, least[label], when


def _components(users: int, user: Ints, value: Ints, values: int | None = None) -> Ints:
    """The component of each of ``users``, joined by the values they have."""
    size = users + (int(value.max(initial=-1)) + 1 if values is None else values)
    graph = coo_array((np.ones(len(user), np.int8), (user, users + value)), shape=(size, size))
    labels: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels[:users]


def _without_unchanged(ids: pa.Array, user: Ints, canonical: Ints, when: Ints) -> Timelines:
    everyone = np.unique(user)
    user = np.concatenate([user, everyone])
    canonical = np.concatenate([canonical, everyone])
    when = np.concatenate([when, np.full(len(everyone), ALWAYS)])
    order = np.lexsort((when, user))
    user, canonical, when = user[order], canonical[order], when[order]
    another = np.ones(len(user), np.bool_)
    another[1:] = np.diff(user) != 0
    changed = another.copy()
    changed[1:] |= np.diff(canonical) != 0
    user, canonical, when = user[changed], canonical[changed], when[changed]
    last = np.ones(len(user), np.bool_)
    last[:-1] = np.diff(user) != 0
    until = np.where(last, OPEN, np.roll(when, -1))
    moved = np.isin(user, user[user != canonical])
    return Timelines(ids, user[moved], canonical[moved], when[moved], until[moved])


def _dense(keys: Ints) -> tuple[Ints, Ints]:
    """Numbers 0, 1, ... in place of ``keys``, and the key of each number."""
    found, numbers = np.unique(keys, return_inverse=True)
    return numbers.astype(np.int64), found


def _microseconds(moments: pa.ChunkedArray, missing: int) -> Ints:
    whole: Ints = pc.fill_null(moments.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()), missing).to_numpy()
    return whole
