"""Whose tags are due: a decision over events and moments, without clock or store."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from features.contracts.events import EventType


class _Unseen(NamedTuple):
    """An event that its user's tags do not show yet."""

    at: datetime
    position: int
    kind: str


class Due:
    """Users with unseen events, and when each of them is due.

    A user is due at once when an event is of a kind in ``at_once`` or is item view number ``views_above`` + 1 since his
    last refresh, else when his oldest unseen event has waited for ``every``. An event whose moment is still to come
    makes nobody due: a build would not see it.
    """

    def __init__(self, *, views_above: int, at_once: Collection[str], every: timedelta) -> None:
        self._views_above, self._at_once, self._every = views_above, frozenset(at_once), every
        self._unseen: defaultdict[str, list[_Unseen]] = defaultdict(list)
        self._not_before: dict[str, datetime] = {}

    def __len__(self) -> int:
        """Users with unseen events."""
        return len(self._unseen)

    @property
    def first_position(self) -> int | None:
        """The position of the oldest unseen event; what arrived before it is shown or needs no look."""
        return min((event.position for events in self._unseen.values() for event in events), default=None)

    def add(self, user: str, kind: str, at: datetime, position: int) -> None:
        """An event of ``user`` that counts from the moment ``at`` on; ``position`` grows with arrival."""
        self._unseen[user].append(_Unseen(at, position, kind))

    def ready(self, now: datetime) -> list[str]:
        """Users who are due at ``now``, the one who has been due for longest first."""
        found = []
        for user, events in self._unseen.items():
            since = self._due_since(events, now)
            if since is not None and since <= now and self._not_before.get(user, now) <= now:
                found.append((since, user))
        return [user for _, user in sorted(found)]

    def built(self, users: Iterable[str], as_of: datetime) -> None:
        """The tags of ``users`` were built as of ``as_of`` from everything that was added."""
        for user in users:
            left = [event for event in self._unseen.pop(user, ()) if event.at >= as_of]
            if left:
                self._unseen[user] = left
            self._not_before.pop(user, None)

    def postpone(self, user: str, until: datetime) -> None:
        """A build of ``user`` went wrong: he is not due again before ``until``."""
        self._not_before[user] = until

    def _due_since(self, events: Iterable[_Unseen], now: datetime) -> datetime | None:
        seen = sorted(event for event in events if event.at < now)
        if not seen:
            return None
        views = (event.at for event in seen if event.kind == EventType.VIEW)
        urgent = (event.at for event in seen if event.kind in self._at_once)
        one_too_many = islice(views, self._views_above, self._views_above + 1)
        return min([seen[0].at + self._every, *islice(urgent, 1), *one_too_many])
