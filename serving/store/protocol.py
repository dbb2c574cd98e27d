"""What an online store must do. The embedded one and any other pass the same conformance suite.

The store holds what changes between two deployments: events that have not reached the lake yet, the last events of
each user, consent, item and user changes, merged identities, and API keys. Whatever a call has returned from is
durable and is seen by every worker from then on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from features.contracts.events import EventType

#: One accepted event by column name of the event contract; times are aware ``datetime``.
EventRow = Mapping[str, Any]

#: How many events of one visitor the store keeps at hand, and as many impressions beside them.
RECENT_LIMIT = 200

IMPRESSION = EventType.IMPRESSION.code


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a store keeps; what is over goes, the oldest first."""

    recent: int = RECENT_LIMIT  # events of one visitor, and as many impressions
    answers: int = 10_000  # answers to calls with an idempotency key


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who acts: a known user, or a visitor who has not logged in. Exactly one of the two ids is set."""

    user_id: str | None = None
    anonymous_id: str | None = None

    def __post_init__(self) -> None:
        if (self.user_id is None) == (self.anonymous_id is None):
            raise ValueError("a visitor has either a user_id or an anonymous_id")


class RecentEvent(NamedTuple):
    """What a recommender needs to know of one event. A tuple: an answer makes dozens of them."""

    item_id: str
    kind: int  # code of the event type
    time: int  # seconds since 1970, UTC
    quantity: float
    order_id: str | None


def latest(events: Sequence[RecentEvent], limit: int) -> list[RecentEvent]:
    """Of ``events``, oldest first, the last ``limit`` impressions and the last ``limit`` others, in their order."""
    if len(events) <= limit:
        return list(events)
    shown = sum(event.kind == IMPRESSION for event in events)
    surplus = {True: shown - limit, False: len(events) - shown - limit}
    if max(surplus.values()) <= 0:
        return list(events)
    kept = []
    for event in events:
        surplus[event.kind == IMPRESSION] -= 1
        if surplus[event.kind == IMPRESSION] < 0:
            kept.append(event)
    return kept


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event that waits for the lake; ``position`` grows with arrival."""

    position: int
    row: dict[str, Any]  # JSON values: times are ISO 8601 text


@dataclass(frozen=True, slots=True)
class Arrival:
    """That an event arrived, whether or not it is in the lake by now; ``position`` grows with arrival."""

    position: int
    user_id: str | None  # of a merged visit the user; None while nobody knows who the visitor is
    kind: str
    counts_at: datetime  # when it had both occurred and been received, UTC


@dataclass(frozen=True, slots=True)
class Profile:
    """The tags of one user, built anew since the last build of everybody."""

    user_id: str
    as_of: datetime  # UTC
    built_at: datetime
    spec_hash: str
    position: int  # the last arrival that was looked at
    tags: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """The latest known fields of one item or user, and the revision that wrote them."""

    revision: int
    id: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user allowed. None: the user was not asked here."""

    personalization: bool | None = None
    marketing: bool | None = None


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """What a user allows since ``revision``."""

    revision: int
    user_id: str
    consent: Consent


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge of an anonymous visitor into a user did."""

    moved: int  # events that now count for the user
    previous_user_id: str | None  # the user this anonymous id belonged to before, if another


@dataclass(frozen=True, slots=True)
class Login:
    """A call that said whose an anonymous id is, on its way to the lake; ``position`` grows with arrival."""

    position: int
    anonymous_id: str
    user_id: str
    at: int  # seconds since 1970


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key as it is kept: never the secret, only its hash. Times are seconds since 1970."""

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a call with an idempotency key was answered, for the same call again."""

    fingerprint: str  # of the request: the same key with another request is a mistake of the caller
    status: int
    body: bytes
    expires_at: int  # seconds since 1970


class OnlineStore(Protocol):
    """Online state behind one face. Every method raises ``StoreUnavailableError`` when the store cannot answer."""

    def ping(self) -> None:
        """Return when the store can be read and written."""
        ...

    def close(self) -> None: ...

    # --- events -------------------------------------------------------------------------------------------
    def add_events(self, rows: Sequence[EventRow]) -> list[bool]:
        """Keep ``rows`` durably, all or none. True per row that is new, False per ``event_id`` already held."""
        ...

    def recent(self, visitor: Visitor, limit: int = RECENT_LIMIT) -> list[RecentEvent]:
        """The visitor's latest item events by time, oldest first; of a user also those of merged visits.

        At most ``limit`` impressions and ``limit`` of everything else: what was shown does not crowd out what was done.
        """
        ...

    def queued(self, limit: int) -> list[QueuedEvent]:
        """Events that have not reached the lake, oldest first, each as it came: whose it is, is the lake's to say."""
        ...

    def mark_drained(self, positions: Sequence[int]) -> None:
        """These events are in the lake. Their ids stay known for a while, so that a late retry is a duplicate."""
        ...

    def queue_length(self) -> int:
        """How many events wait for the lake. To count them may take a while."""
        ...

    def queue_bound(self) -> int:
        """No fewer than wait for the lake, and hardly more: known without counting them."""
        ...

    # --- tags of single users -----------------------------------------------------------------------------
    def arrivals_after(self, position: int, limit: int) -> list[Arrival]:
        """What arrived after ``position``, oldest first. Events are forgotten some time after they reached the lake."""
        ...

    def queued_of(self, users: Collection[str], position: int) -> list[QueuedEvent]:
        """Events of ``users`` up to ``position`` that have not reached the lake; merged visits carry the user's id."""
        ...

    def first_queued(self) -> int | None:
        """The position of the oldest event that has not reached the lake."""
        ...

    def cursor(self, name: str) -> int:
        """The position that a reader of arrivals has kept under ``name``; 0 at first."""
        ...

    def set_cursor(self, name: str, position: int) -> None: ...

    def put_profiles(self, profiles: Sequence[Profile]) -> None:
        """Keep ``profiles`` in place of those that their users had, all or none."""
        ...

    def profile(self, user_id: str) -> Profile | None: ...

    def profiled(self, users: Collection[str]) -> dict[str, tuple[int, datetime]]:
        """Position and ``as_of`` of the profiles of ``users``, where they have one."""
        ...

    def drop_profiles(self, before: datetime, keep: str) -> int:
        """Forget profiles as of moments before one, and all whose ``spec_hash`` is not ``keep``; how many."""
        ...

    # --- identities and consent ---------------------------------------------------------------------------
    def merge(self, anonymous_id: str, user_id: str) -> Merge:
        """The anonymous visitor turned out to be ``user_id``: past and future events count for that user."""
        ...

    def logins(self, limit: int) -> list[Login]:
        """Merges that have not reached the lake, oldest first. One that changed nothing is not among them."""
        ...

    def forget_logins(self, position: int) -> None:
        """Logins up to ``position`` are in the lake."""
        ...

    def user_of(self, anonymous_id: str) -> str | None:
        """The user this anonymous id was last merged into."""
        ...

    def consent(self, user_id: str) -> Consent: ...

    def set_consent(self, user_id: str, consent: Consent) -> Consent:
        """Change what ``consent`` names (None leaves a field as it is); returns what now holds."""
        ...

    def consents_since(self, revision: int) -> list[ConsentChange]:
        """Consents changed after ``revision``, by ascending revision. 0 gives all."""
        ...

    def devices_of(self, users: Collection[str]) -> list[str]:
        """The anonymous ids that were last merged into one of ``users``."""
        ...

    def erase(self, users: Collection[str], visitors: Collection[str] = ()) -> int:
        """Forget ``users``, and visits of the anonymous ids ``visitors``; returns how many records went.

        Recent events, queued events, profiles, pending changes, consents, kept answers, and merges into the users with
        the visits that they brought are gone when this returns; revisions go on from where they were. Whether a retry
        of an event that went is known as one is not said: whoever erases refuses what comes in afterwards before.
        """
        ...

    def held_of(self, users: Collection[str], visitors: Collection[str] = ()) -> int:
        """How many records :meth:`erase` would take."""
        ...

    # --- repeated calls -----------------------------------------------------------------------------------
    def keep_answer(self, key: str, answer: KeptAnswer, *, now: int) -> KeptAnswer:
        """Keep what the first call with ``key`` is answered, until it expires; returns what is kept, be it of another.

        The store keeps as many answers as its :class:`Bounds` say.
        """
        ...

    def kept_answer(self, key: str, *, now: int) -> KeptAnswer | None: ...

    # --- items and users ----------------------------------------------------------------------------------
    def put_items(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Merge fields (JSON values) into what is known of each item; a field set to None is kept as null."""
        ...

    def items_since(self, revision: int) -> list[Change]:
        """Items changed after ``revision``, by ascending revision. 0 gives all."""
        ...

    def put_users(self, changes: Mapping[str, Mapping[str, Any]]) -> None: ...

    def users_since(self, revision: int) -> list[Change]: ...

    # --- API keys -----------------------------------------------------------------------------------------
    def add_key(self, key: KeyRecord) -> None: ...

    def key(self, key_id: str) -> KeyRecord | None: ...

    def keys(self) -> list[KeyRecord]:
        """All keys, oldest first, revoked ones included."""
        ...

    def revoke_key(self, key_id: str, at: int) -> bool:
        """The key ends at ``at``, which may lie ahead. False when there is no such key, or it ends by then already."""
        ...
