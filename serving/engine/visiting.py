"""Who asks: what the store and the lake say of a visitor at the moment of his question."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence

from features.contracts.errors import StoreUnavailableError
from features.contracts.events import EventType
from features.contracts.knowledge import ANONYMOUS, USER
from features.lake.tombstones import Tombstones
from serving.engine.asking import Degraded
from serving.engine.identities import KnownAs
from serving.engine.live_facts import LiveFacts, Refusals
from serving.engine.question import Visit
from serving.store.protocol import RECENT_LIMIT, OnlineStore, RecentEvent, Visitor

_LOG = logging.getLogger(__name__)
_IMPRESSION = EventType.IMPRESSION.code


class Visits:
    """What is known of visitors now; without the store, what was known before it went away."""

    def __init__(
        self,
        store: OnlineStore,
        recent_events: int,
        refused: Callable[[], Collection[str]],
        known_as: KnownAs | None,
        erased: Tombstones | None = None,
    ) -> None:
        """At most ``recent_events`` of a visitor's events since the training are read.

        ``refused`` gives the users of the lake who switched personalisation off; ``known_as`` says which users are one.
        Who was ``erased`` is nobody in particular: what a model still holds of him is not asked for.
        """
        self._store, self._recent_events, self._refused, self._known_as = store, recent_events, refused, known_as
        self._refusals, self._erased = Refusals(), erased

    def refresh(self) -> None:
        """Take up which users were found to be one."""
        try:
            if self._known_as is not None:
                self._known_as.refresh()
        except Exception:
            # A lake that cannot be read must not stop the answers: users stay who they were.
            _LOG.exception("the lake's log of links cannot be read; merges since the last look are not known")

    def reload(self) -> None:
        """Read anew who of the lake's users refused personalisation."""
        self._refusals = Refusals(self._refused())

    def follow(self, facts: Iterable[LiveFacts]) -> bool:
        """Take up what changed in items and consents; False when the store is away. Once for a batch of questions."""
        try:
            for each in facts:
                each.follow(self._store)
            self._refusals.follow(self._store)
        except StoreUnavailableError as error:
            _LOG.warning("answering without real-time state: %s", error)
            return False
        return True

    def visit(self, visitor: Visitor | None) -> Visit:
        """What the visitor did lately, and whether he wants that to count."""
        if visitor is None:
            return Visit(None)
        if self._forgotten(visitor):
            return Visit(None, personal=False)
        try:
            user_id = visitor.user_id
            if visitor.anonymous_id is not None:
                user_id = self._store.user_of(visitor.anonymous_id)
            members = () if user_id is None else self.members(user_id)
            user_id = members[0] if members else None
            if self._refuses(members):
                return Visit(user_id, personal=False)
            did, shown = self._sorted_out(self._recent(visitor, members))
            return Visit(user_id, did, shown, members=members)
        except StoreUnavailableError as error:
            _LOG.warning("answering without real-time state: %s", error)
            return self.visit_without_store(visitor, Degraded.REALTIME_STATE)

    def visit_without_store(self, visitor: Visitor | None, why: Degraded) -> Visit:
        """The visitor as the bundle and the last look at consents know him."""
        if visitor is not None and self._forgotten(visitor):
            return Visit(None, personal=False, degraded=(why,))
        members = self.members(visitor.user_id) if visitor is not None and visitor.user_id is not None else ()
        known = members[0] if members else None
        return Visit(known, personal=not self._refuses(members), degraded=(why,), members=members)

    def members(self, user_id: str) -> tuple[str, ...]:
        """Every id of the user, the one he counts for first."""
        return (user_id,) if self._known_as is None else self._known_as.members(user_id)

    def _forgotten(self, visitor: Visitor) -> bool:
        if self._erased is None:
            return False
        if visitor.user_id is not None:
            return self._erased.has(USER, visitor.user_id)
        return visitor.anonymous_id is not None and self._erased.has(ANONYMOUS, visitor.anonymous_id)

    def _refuses(self, members: Iterable[str]) -> bool:
        return any(member in self._refusals for member in members)

    def _recent(self, visitor: Visitor, members: tuple[str, ...]) -> list[RecentEvent]:
        """The latest events, oldest first; of a merged user those under all his ids."""
        if len(members) < 2:
            return self._store.recent(visitor, RECENT_LIMIT)
        found = [event for member in members for event in self._store.recent(Visitor(user_id=member), RECENT_LIMIT)]
        return sorted(found, key=lambda event: event.time)

    def _sorted_out(self, events: Sequence[RecentEvent]) -> tuple[list[RecentEvent], list[RecentEvent]]:
        """What the visitor did, at most the configured number, and what he was merely shown."""
        did = [event for event in events if event.kind != _IMPRESSION]
        shown = [event for event in events if event.kind == _IMPRESSION]
        return did[max(len(did) - self._recent_events, 0) :], shown
