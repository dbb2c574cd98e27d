"""The refresher: looks at what arrived, decides who is due, builds their tags and keeps them in the store."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.contracts.knowledge import USER
from serving.refresh.config import RefreshConfig
from serving.refresh.due import Due
from serving.refresh.sources import Sources
from serving.store import OnlineStore, Profile
from serving.store.drain import event_table

_LOG = logging.getLogger(__name__)

CURSOR = "refresh"
_PAGE = 10_000
#: A user whose tags cannot be built is not tried again before that.
_SET_ASIDE = timedelta(minutes=10)


def _now() -> datetime:
    return datetime.now(UTC)


class Refresher:
    """Keeps the tags of single users fresh between two builds of everybody.

    Everything it knows can be read from the store again, so it may end at any moment: the cursor there stands before
    the first event that no profile shows.
    """

    def __init__(
        self, store: OnlineStore, sources: Sources, config: RefreshConfig, *, clock: Callable[[], datetime] = _now
    ) -> None:
        """``clock`` only tells when a build was done (``built_at``)."""
        self._store, self._sources, self._config, self._clock = store, sources, config, clock
        self._build_name: str | None = None
        self._kept = store.cursor(CURSOR)
        self._start_at(self._kept)

    def step(self, now: datetime) -> bool:
        """One look at the store, and one batch of users built as of ``now``; true when more is to do at once.

        Raises what goes wrong with the store, the lake or the engine; nothing is lost then. A user whose own tags
        cannot be built is logged, set aside, and does not hold up others.
        """
        if not self._sources.take_up():
            return False
        self._follow_build()
        more = self._read()
        ready = self._due.ready(now)
        batch = ready[: self._config.batch_users]
        if batch:
            self._refresh(batch, now)
        self._keep_cursor()
        return more or len(ready) > len(batch)

    def _start_at(self, cursor: int) -> None:
        config = self._config
        self._due = Due(
            views_above=config.views_above,
            at_once=config.at_once,
            every=timedelta(seconds=config.every_seconds),
        )
        self._cursor = cursor

    def _follow_build(self) -> None:
        """A new build answers in place of older profiles, but may not have seen what still waits for the lake."""
        build = self._sources.build
        if build is None or build.name == self._build_name:
            return
        self._store.drop_profiles(build.as_of, build.spec_hash)
        queued = self._store.first_queued()
        self._start_at(self._kept if queued is None else min(self._kept, queued - 1))
        self._build_name = build.name

    def _read(self) -> bool:
        """Take in a page of arrivals; true when there may be another."""
        arrivals = self._store.arrivals_after(self._cursor, _PAGE)
        if not arrivals:
            return False
        named = [(self._sources.canonical(a.user_id), a) for a in arrivals if a.user_id is not None]
        shown = self._store.profiled({user for user, _ in named})
        for user, arrival in named:
            position, as_of = shown.get(user, (0, arrival.counts_at))
            if arrival.position > position or arrival.counts_at >= as_of:
                self._due.add(user, arrival.kind, arrival.counts_at, arrival.position)
        self._cursor = arrivals[-1].position
        return len(arrivals) == _PAGE

    def _refresh(self, users: Sequence[str], now: datetime) -> None:
        try:
            profiles = self._profiles(users, now)
            with self._sources.erased.steady():
                self._store.put_profiles([p for p in profiles if not self._sources.erased.has(USER, p.user_id)])
        except InputError as error:
            if len(users) == 1:
                _LOG.error("the tags of a user cannot be refreshed, trying again in %s: %s", _SET_ASIDE, error)
                self._due.postpone(users[0], now + _SET_ASIDE)
                return
            half = len(users) // 2
            self._refresh(users[:half], now)
            self._refresh(users[half:], now)
            return
        except Exception:
            _LOG.warning("refreshing the tags of %d users failed", len(users))
            raise
        self._due.built(users, now)

    def _profiles(self, users: Sequence[str], now: datetime) -> list[Profile]:
        members = [member for user in users for member in self._sources.members(user)]
        # The queue is read before the lake is looked at: what leaves the one in between is in the other.
        queued = self._store.queued_of(members, self._cursor)
        self._sources.take_up()
        table = self._sources.tags_of(users, now, event_table(queued))
        built_at = self._clock()
        return [
            Profile(row.pop(c.USER_ID), now, built_at, self._sources.spec_hash, self._cursor, row)
            for row in table.to_pylist()
        ]

    def _keep_cursor(self) -> None:
        first = self._due.first_position
        keep = self._cursor if first is None else first - 1
        if keep != self._kept:
            self._store.set_cursor(CURSOR, keep)
            self._kept = keep
