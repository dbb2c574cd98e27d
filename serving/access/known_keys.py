"""API keys as one worker knows them, so that not every request reads the store."""

import time
from collections.abc import Callable

from features.contracts.errors import StoreUnavailableError
from serving.access.caller import Caller
from serving.store.keys import key_id_of, opens
from serving.store.protocol import KeyRecord, OnlineStore


class KnownKeys:
    """Records of keys, each trusted for a moment. Only ids that exist are kept, so memory is bounded by the keys."""

    def __init__(
        self,
        store: OnlineStore,
        *,
        seconds: float,
        outage_seconds: float,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``seconds``: until a record is read again; ``outage_seconds``: while the store is away."""
        self._store, self._seconds, self._outage = store, seconds, outage_seconds
        self._clock, self._steady = clock, steady
        self._known: dict[str, tuple[KeyRecord, float]] = {}

    def is_fresh(self, text: str) -> bool:
        """Whether :meth:`caller` answers without reading the store."""
        found = self._known.get(key_id_of(text) or "")
        return found is not None and self._steady() - found[1] < self._seconds

    def caller(self, text: str) -> Caller | None:
        """Who sends ``text``, or None when it is no live key.

        Raises :class:`StoreUnavailableError` when the store is away and the key was not seen for too long.
        """
        key_id = key_id_of(text)
        if key_id is None:
            return None
        record = self._record(key_id)
        if not opens(record, text, now=int(self._clock())):
            return None
        assert record is not None
        return Caller(record.id, record.name, record.scopes)

    def _record(self, key_id: str) -> KeyRecord | None:
        found, now = self._known.get(key_id), self._steady()
        if found is not None and now - found[1] < self._seconds:
            return found[0]
        try:
            record = self._store.key(key_id)
        except StoreUnavailableError:
            if found is None or now - found[1] >= self._outage:
                raise
            return found[0]
        if record is None:
            self._known.pop(key_id, None)
        else:
            self._known[key_id] = (record, now)
        return record
