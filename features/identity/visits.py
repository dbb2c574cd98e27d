"""Whose an anonymous id is: from the login on the user's, and on a shared device the last one's who logged in."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import groupby
from operator import itemgetter

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.identity.components import ALWAYS, OPEN

Ints = npt.NDArray[np.int64]

_SINCE = "since"
_UNTIL = "until"

#: Every login with the moments from which and until which it was held to be one.
_FACTS = """
SELECT l.anonymous_id AS visitor, l.user_id AS login, epoch_us(l.occurred_at) AS occurred,
    epoch_us(min(l.known_at)) AS since, epoch_us(u.known_at) AS until
FROM (SELECT * FROM logins WHERE linked) AS l
ASOF LEFT JOIN (SELECT * FROM logins WHERE NOT linked) AS u
    ON l.anonymous_id = u.anonymous_id AND l.user_id = u.user_id AND l.known_at < u.known_at
GROUP BY ALL
"""
_PLAIN = """
SELECT visitor, min(login) AS login, min(since) AS since FROM facts GROUP BY visitor
HAVING min(login) = max(login) AND count(until) = 0 ORDER BY visitor
"""
#: Of logins of one user in a row those that tell nothing new are left out.
_OTHERS = """
SELECT facts.* FROM facts JOIN (
    SELECT visitor FROM facts GROUP BY visitor HAVING min(login) <> max(login) OR count(until) > 0
) USING (visitor)
WINDOW told AS (PARTITION BY visitor ORDER BY occurred, login, since)
QUALIFY NOT coalesce(login = lag(login) OVER told AND since >= lag(since) OVER told
    AND until IS NULL AND lag(until) OVER told IS NULL AND lag(since) OVER told IS NOT NULL, false)
ORDER BY visitor, occurred, login, since
"""


@dataclass(frozen=True)
class Visits:
    """For which login an anonymous id stands. A row holds for a span of knowledge and a span of occurrence.

    Without a row an event of the id is nobody's.
    """

    visitor: pa.Array  # (n,) anonymous ids
    login: pa.Array  # (n,) users as they logged in, not merged yet
    since: Ints  # (n,) known from, microseconds since 1970, UTC
    until: Ints  # (n,)
    begins: Ints  # (n,) occurred from
    ends: Ints  # (n,)


@dataclass(frozen=True, slots=True)
class _Login:
    user: str
    occurred: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class _Row:
    user: str
    since: int
    until: int
    begins: int
    ends: int


def visits(connection: duckdb.DuckDBPyConnection, logins: pa.Table) -> Visits:
    """Resolve ``logins`` (``LOGIN_SCHEMA``), in any order, each row any number of times.

    An id on which one user logged in stands for that user, for all that ever happened on it, from the moment the login
    was known. Where several did, what happened after a login is that user's until the next login, and what happened
    before the first login is the first user's.
    """
    connection.register("logins", logins)
    connection.register("facts", connection.sql(_FACTS).to_arrow_table())
    plain = connection.sql(_PLAIN).to_arrow_table().combine_chunks()
    others = connection.sql(_OTHERS).to_arrow_table()
    names, rows = _shared(others)
    always, never = np.full(len(plain), ALWAYS), np.full(len(plain), OPEN)
    return Visits(
        pa.concat_arrays([*plain.column("visitor").chunks, pa.array(names, pa.string())]),
        pa.concat_arrays([*plain.column("login").chunks, pa.array([r.user for r in rows], pa.string())]),
        np.concatenate([plain.column(_SINCE).to_numpy(), np.array([r.since for r in rows], np.int64)]),
        np.concatenate([never, np.array([r.until for r in rows], np.int64)]),
        np.concatenate([always, np.array([r.begins for r in rows], np.int64)]),
        np.concatenate([never, np.array([r.ends for r in rows], np.int64)]),
    )


def _shared(facts: pa.Table) -> tuple[list[str], list[_Row]]:
    names: list[str] = []
    rows: list[_Row] = []
    visitor = facts.column("visitor").to_numpy(zero_copy_only=False)
    cuts = np.flatnonzero(visitor[1:] != visitor[:-1]) + 1
    login = facts.column("login").to_pylist()
    occurred, since = facts.column("occurred").to_pylist(), facts.column(_SINCE).to_pylist()
    until = [OPEN if u is None else u for u in facts.column(_UNTIL).to_pylist()]
    for low, high in zip([0, *cuts.tolist()], [*cuts.tolist(), len(visitor)], strict=True):
        if low == high:
            continue
        found = list(_stretches([_Login(login[i], occurred[i], since[i], until[i]) for i in range(low, high)]))
        names += [visitor[low]] * len(found)
        rows += found
    return names, rows


def _stretches(logins: list[_Login]) -> Iterator[_Row]:
    """Rows of one id; ``logins`` are in order of occurrence."""
    yield from _told(list(reversed(logins)), ALWAYS, logins[0].occurred)  # before any login: the first one's
    waiting: list[tuple[int, int]] = []  # (moment, position): what is still learnt of a login after the stretch began
    pending: dict[int, _Login] = {}
    settled = -1  # the last login that is known for good when the stretch begins; those before it count no more
    for position, login in enumerate(logins):
        pending[position] = login
        heappush(waiting, (login.since if login.until == OPEN else login.until, position))
        ends = logins[position + 1].occurred if position + 1 < len(logins) else OPEN
        if ends == login.occurred:
            continue
        while waiting and waiting[0][0] <= login.occurred:
            done = heappop(waiting)[1]
            if logins[done].until == OPEN and done > settled:
                pending.pop(settled, None)
                settled = done
            elif done != settled:
                pending.pop(done, None)
        # Until any of these is known, the first login of those that are known to come after speaks.
        after = [] if settled >= 0 else logins[:position:-1]
        yield from _told([*after, *(pending[at] for at in sorted(pending) if at >= settled)], login.occurred, ends)


def _told(logins: list[_Login], begins: int, ends: int) -> Iterator[_Row]:
    """What was known of one stretch, over time: of the logins known at a moment, the last of the list counts."""
    user: str | None = None
    since = ALWAYS
    for moment, known in _known_over_time(logins):
        if known != user:
            if user is not None:
                yield _Row(user, since, moment, begins, ends)
            user, since = known, moment
    if user is not None:
        yield _Row(user, since, OPEN, begins, ends)


def _known_over_time(logins: list[_Login]) -> Iterator[tuple[int, str | None]]:
    if any(login.until != OPEN for login in logins):
        for moment in sorted({m for login in logins for m in (login.since, login.until) if m != OPEN}):
            yield moment, next((o.user for o in reversed(logins) if o.since <= moment < o.until), None)
        return
    last = -1
    for moment, learnt in groupby(sorted((login.since, place) for place, login in enumerate(logins)), itemgetter(0)):
        last = max(last, *(place for _, place in learnt))
        yield moment, logins[last].user
