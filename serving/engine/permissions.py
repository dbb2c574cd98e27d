"""What users allow right now: the lake's word and every switch since, over all ids of a merged user."""

import hashlib
import threading
from collections.abc import Iterable
from itertools import product
from typing import Final

import pyarrow.compute as pc

from features.contracts import columns as c
from features.lake import Lake
from serving.engine.identities import KnownAs
from serving.store.protocol import Consent, OnlineStore

_WORDS: Final = (None, False, True)
_SAID: Final = {(one, other): (one, other) for one, other in product(_WORDS, _WORDS)}


class Permissions:
    """Consents of one worker. Every look follows the store first, so that a switch counts in the next answer."""

    def __init__(self, lake: Lake, store: OnlineStore, known_as: KnownAs) -> None:
        self._lake, self._store, self._known_as = lake, store, known_as
        self._lock = threading.Lock()
        self._revision = 0
        self._stamp: tuple[str, int, int] | None = None
        self._in_lake: dict[str, tuple[bool | None, bool | None]] = {}  # personalisation, marketing
        self._since: dict[str, Consent] = {}

    def refresh(self) -> None:
        """Read the users table of the lake where it is another one; what was said to the server counts before it."""
        stamp = self._lake.users_stamp()
        if stamp == self._stamp:
            return
        users = self._lake.read_users([c.USER_ID, c.CONSENT_PERSONALIZATION, c.CONSENT_MARKETING])
        told = pc.or_(pc.is_valid(users[c.CONSENT_PERSONALIZATION]), pc.is_valid(users[c.CONSENT_MARKETING]))
        ids, *said = users.filter(told).to_pydict().values()
        # Nine things can be said: one object for each, and not for each user.
        self._in_lake = dict(zip(ids, map(_SAID.__getitem__, zip(*said, strict=True)), strict=True))
        self._stamp = stamp

    @property
    def read(self) -> tuple[object, int]:
        """Another one whenever something of the lake was read anew."""
        return self._stamp, self._known_as.version

    def of(self, user_id: str) -> Consent:
        """What the person allows: refused under one of his ids is refused, else allowed under one is allowed."""
        self._follow()
        said = [self._of_id(member) for member in self._known_as.members(user_id)]
        return Consent(_all(s.personalization for s in said), _all(s.marketing for s in said))

    def set(self, user_id: str, consent: Consent) -> Consent:
        """Change what ``consent`` names for the person, under every id of his; returns what now holds."""
        for member in self._known_as.members(user_id):
            self._store.set_consent(member, consent)
        return self.of(user_id)

    def without_marketing(self) -> frozenset[str]:
        """Every id of users who must not be contacted, because a switch said so since the lake's table was read."""
        self._follow()
        # The dictionary is only added to, under the lock; a copy of it may be walked while another request adds.
        refused = [user for user, said in dict(self._since).items() if said.marketing is False]
        return frozenset(member for user in refused for member in self._known_as.members(user))

    def _follow(self) -> None:
        with self._lock:
            for change in self._store.consents_since(self._revision):
                self._revision = change.revision
                self._since[change.user_id] = change.consent

    def _of_id(self, user_id: str) -> Consent:
        old = Consent(*self._in_lake.get(user_id, (None, None)))
        new = self._since.get(user_id, Consent())
        return Consent(
            old.personalization if new.personalization is None else new.personalization,
            old.marketing if new.marketing is None else new.marketing,
        )


def fingerprint(users: frozenset[str]) -> str:
    """A short name of a set of users."""
    return hashlib.sha256("\0".join(sorted(users)).encode()).hexdigest()[:16]


def _all(said: Iterable[bool | None]) -> bool | None:
    told = [one for one in said if one is not None]
    return all(told) if told else None
