"""The online store in Redis or Valkey: one for the servers of several machines.

Everything that must happen together is one script (:mod:`serving.store.redis_scripts`). What a call has returned from
is on disk where Redis runs with ``appendonly yes`` and ``appendfsync always``; another setting is refused when the
store is opened, because an acknowledged event could be lost.
"""

import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from features.contracts import columns as c
from features.contracts.errors import StoreFullError, StoreUnavailableError
from features.contracts.events import EventType
from serving.store import redis_scripts as scripts
from serving.store.embedded_refresh import microseconds, moment
from serving.store.protocol import (
    IMPRESSION,
    RECENT_LIMIT,
    Arrival,
    Bounds,
    Change,
    Consent,
    ConsentChange,
    EventRow,
    KeptAnswer,
    KeyRecord,
    Login,
    Merge,
    Profile,
    QueuedEvent,
    RecentEvent,
    Visitor,
    latest,
)

_REMEMBER_SECONDS = 30 * 86_400  # how long the id of a drained event still marks a retry as a duplicate
#: How long an answer is waited for; an erasure looks through much and may take longer.
_TIMEOUT_SECONDS, _ERASURE_SECONDS = 1.0, 120.0
#: After a failure nobody is sent to wait for the server for so long: questions are answered without it meanwhile.
_AWAY_SECONDS = 0.25
_PREFIX = "{mallard}:"  # in braces: a cluster keeps the keys together


class RedisStore:
    """An :class:`~serving.store.protocol.OnlineStore` over a Redis server."""

    def __init__(self, url: str, bounds: Bounds | None = None) -> None:
        """``url``: ``redis://host:port/number``. Raises :class:`StoreUnavailableError` when it does not answer, or does
        not write every command to disk before it answers."""
        self._bounds = bounds or Bounds()
        self._redis, self._patient = _client(url, _TIMEOUT_SECONDS), _client(url, _ERASURE_SECONDS)
        self._scripts: dict[str, Any] = {}
        self._away_until = 0.0
        with self._asking():
            settings = self._redis.config_get("append*")
        if settings.get("appendonly") != "yes" or settings.get("appendfsync") != "always":
            raise StoreUnavailableError(
                "the Redis server may lose what it acknowledged: it needs 'appendonly yes' and 'appendfsync always'"
            )

    def ping(self) -> None:
        with self._asking():
            self._redis.set(f"{_PREFIX}ping", int(time.time()))

    def close(self) -> None:
        self._redis.close()
        self._patient.close()

    # --- events -------------------------------------------------------------------------------------------
    def add_events(self, rows: Sequence[EventRow]) -> list[bool]:
        told = orjson.dumps([_told(row) for row in rows])
        return [fresh == 1 for fresh in self._run(scripts.ADD_EVENTS, int(time.time()), self._bounds.recent, told)]

    def recent(self, visitor: Visitor, limit: int = RECENT_LIMIT) -> list[RecentEvent]:
        found: list[tuple[int, int, RecentEvent]] = []
        for flat in self._run(scripts.RECENT, visitor.user_id or "", visitor.anonymous_id or ""):
            for member, at in zip(flat[::2], flat[1::2], strict=True):
                item, kind, quantity, order = orjson.loads(member[20:])
                second = int(float(at))
                found.append((second, int(member[:20]), RecentEvent(item, kind, second, quantity, order)))
        return latest([event for *_, event in sorted(found, key=lambda each: each[:2])], limit)

    def queued(self, limit: int) -> list[QueuedEvent]:
        return [QueuedEvent(int(place), orjson.loads(row)) for place, row in self._run(scripts.QUEUED, limit)]

    def mark_drained(self, positions: Sequence[int]) -> None:
        self._run(scripts.DRAINED, orjson.dumps(list(positions)), int(time.time()) - _REMEMBER_SECONDS)

    def queue_length(self) -> int:
        with self._asking():
            return int(self._redis.zcard(f"{_PREFIX}queued"))

    def queue_bound(self) -> int:
        return self.queue_length()

    # --- tags of single users -----------------------------------------------------------------------------
    def arrivals_after(self, position: int, limit: int) -> list[Arrival]:
        found = self._run(scripts.ARRIVALS, position, limit)
        return [Arrival(int(place), _text(user), kind.decode(), moment(int(at))) for place, user, kind, at in found]

    def queued_of(self, users: Collection[str], position: int) -> list[QueuedEvent]:
        events = {}
        for place, payload, user in self._run(scripts.QUEUED_OF, orjson.dumps(list(users)), position):
            row = orjson.loads(payload)
            events[int(place)] = row if user is None else {**row, c.USER_ID: user.decode()}
        return [QueuedEvent(place, events[place]) for place in sorted(events)]

    def first_queued(self) -> int | None:
        with self._asking():
            found = self._redis.zrange(f"{_PREFIX}queued", 0, 0)
        return int(found[0]) if found else None

    def cursor(self, name: str) -> int:
        with self._asking():
            return int(self._redis.hget(f"{_PREFIX}cursors", name) or 0)

    def set_cursor(self, name: str, position: int) -> None:
        with self._asking():
            self._redis.hset(f"{_PREFIX}cursors", name, position)

    def put_profiles(self, profiles: Sequence[Profile]) -> None:
        with self._asking(), self._redis.pipeline(transaction=True) as together:
            for profile in profiles:
                together.sadd(f"{_PREFIX}profiles", profile.user_id)
                told = {
                    "as_of": microseconds(profile.as_of),
                    "built_at": microseconds(profile.built_at),
                    "spec_hash": profile.spec_hash,
                    "position": profile.position,
                    "tags": zlib.compress(orjson.dumps(profile.tags), 1),
                }
                together.hset(f"{_PREFIX}profile:{profile.user_id}", mapping=told)
            together.execute()

    def profile(self, user_id: str) -> Profile | None:
        with self._asking():
            found = self._redis.hgetall(f"{_PREFIX}profile:{user_id}")
        if not found:
            return None
        return Profile(
            user_id,
            moment(int(found[b"as_of"])),
            moment(int(found[b"built_at"])),
            found[b"spec_hash"].decode(),
            int(found[b"position"]),
            orjson.loads(zlib.decompress(found[b"tags"])),
        )

    def profiled(self, users: Collection[str]) -> dict[str, tuple[int, datetime]]:
        with self._asking(), self._redis.pipeline(transaction=False) as together:
            for user in users:
                together.hmget(f"{_PREFIX}profile:{user}", "position", "as_of")
            found = together.execute()
        return {
            user: (int(position), moment(int(as_of)))
            for user, (position, as_of) in zip(users, found, strict=True)
            if position is not None
        }

    def drop_profiles(self, before: datetime, keep: str) -> int:
        return int(self._run(scripts.DROP_PROFILES, microseconds(before), keep))

    # --- identities and consent ---------------------------------------------------------------------------
    def merge(self, anonymous_id: str, user_id: str) -> Merge:
        login = orjson.dumps({c.ANONYMOUS_ID: anonymous_id, c.USER_ID: user_id, "at": int(time.time())})
        moved, before = self._run(scripts.MERGE, anonymous_id, user_id, self._bounds.recent, login)
        previous = _text(before)
        return Merge(int(moved), previous if previous != user_id else None)

    def logins(self, limit: int) -> list[Login]:
        with self._asking():
            found = self._redis.zrange(f"{_PREFIX}logins", 0, limit - 1, withscores=True)
        told = [(int(position), orjson.loads(login)) for login, position in found]
        return [Login(place, each[c.ANONYMOUS_ID], each[c.USER_ID], each["at"]) for place, each in told]

    def forget_logins(self, position: int) -> None:
        with self._asking():
            self._redis.zremrangebyscore(f"{_PREFIX}logins", "-inf", position)

    def user_of(self, anonymous_id: str) -> str | None:
        with self._asking():
            return _text(self._redis.hget(f"{_PREFIX}merges", anonymous_id))

    def consent(self, user_id: str) -> Consent:
        with self._asking():
            return _consent(self._redis.hmget(f"{_PREFIX}consent:{user_id}", "personalization", "marketing"))

    def set_consent(self, user_id: str, consent: Consent) -> Consent:
        said = {"personalization": consent.personalization, "marketing": consent.marketing}
        told = orjson.dumps({name: str(int(value)) for name, value in said.items() if value is not None})
        self._run(scripts.SET_CONSENT, user_id, told)
        return self.consent(user_id)

    def consents_since(self, revision: int) -> list[ConsentChange]:
        found = self._run(scripts.CONSENTS, revision)
        return [ConsentChange(int(number), user.decode(), _consent(said)) for number, user, *said in found]

    def devices_of(self, users: Collection[str]) -> list[str]:
        with self._asking(), self._redis.pipeline(transaction=False) as together:
            for user in users:
                together.smembers(f"{_PREFIX}devices:{user}")
            return sorted(device.decode() for devices in together.execute() for device in devices)

    def erase(self, users: Collection[str], visitors: Collection[str] = ()) -> int:
        return self._erased(users, visitors, really=True)

    def held_of(self, users: Collection[str], visitors: Collection[str] = ()) -> int:
        return self._erased(users, visitors, really=False)

    def _erased(self, users: Collection[str], visitors: Collection[str], *, really: bool) -> int:
        named, quoted = list(dict.fromkeys(users)), [orjson.dumps(user).decode() for user in dict.fromkeys(users)]
        asked = (orjson.dumps(ids) for ids in (named, list(dict.fromkeys(visitors)), quoted))
        return int(self._run(scripts.ERASE, *asked, int(really), client=self._patient))

    # --- repeated calls -----------------------------------------------------------------------------------
    def keep_answer(self, key: str, answer: KeptAnswer, *, now: int) -> KeptAnswer:
        told = (answer.fingerprint, answer.status, answer.body, answer.expires_at)
        self._run(scripts.KEEP_ANSWER, key, now, self._bounds.answers, *told)
        return self.kept_answer(key, now=now) or answer

    def kept_answer(self, key: str, *, now: int) -> KeptAnswer | None:
        with self._asking():
            found = self._redis.hgetall(f"{_PREFIX}answer:{key}")
        if not found or int(found[b"expires_at"]) <= now:
            return None
        return KeptAnswer(
            found[b"fingerprint"].decode(), int(found[b"status"]), found[b"body"], int(found[b"expires_at"])
        )

    # --- items and users ----------------------------------------------------------------------------------
    def put_items(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        self._put("item", changes)

    def items_since(self, revision: int) -> list[Change]:
        return self._since("item", revision)

    def put_users(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        self._put("user", changes)

    def users_since(self, revision: int) -> list[Change]:
        return self._since("user", revision)

    def _put(self, kind: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
        told = [
            {"id": key, "fields": {name: orjson.dumps(value).decode() for name, value in fields.items()}}
            for key, fields in changes.items()
        ]
        self._run(scripts.PUT, kind, orjson.dumps(told))

    def _since(self, kind: str, revision: int) -> list[Change]:
        return [
            Change(
                int(number),
                key.decode(),
                {n.decode(): orjson.loads(v) for n, v in zip(flat[::2], flat[1::2], strict=True)},
            )
            for number, key, flat in self._run(scripts.SINCE, kind, revision)
        ]

    # --- API keys -----------------------------------------------------------------------------------------
    def add_key(self, key: KeyRecord) -> None:
        told = {name: getattr(key, name) for name in KeyRecord.__slots__}
        told["scopes"] = " ".join(key.scopes)
        with self._asking(), self._redis.pipeline(transaction=True) as together:
            together.sadd(f"{_PREFIX}keys", key.id)
            together.hset(
                f"{_PREFIX}key:{key.id}", mapping={n: value for n, value in told.items() if value is not None}
            )
            together.execute()

    def key(self, key_id: str) -> KeyRecord | None:
        with self._asking():
            return _key(self._redis.hgetall(f"{_PREFIX}key:{key_id}"))

    def keys(self) -> list[KeyRecord]:
        with self._asking():
            ids = [key_id.decode() for key_id in self._redis.smembers(f"{_PREFIX}keys")]
        found = [key for key_id in ids if (key := self.key(key_id)) is not None]
        return sorted(found, key=lambda key: (key.created_at, key.id))

    def revoke_key(self, key_id: str, at: int) -> bool:
        return bool(self._run(scripts.REVOKE, key_id, at))

    # --- the server ---------------------------------------------------------------------------------------
    def _run(self, script: str, *arguments: Any, client: Any = None) -> Any:
        if script not in self._scripts:
            self._scripts[script] = self._redis.register_script(script)
        with self._asking():
            return self._scripts[script](keys=[_PREFIX], args=arguments, client=client)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if time.monotonic() < self._away_until:
            raise StoreUnavailableError("the Redis server did not answer a moment ago")
        try:
            yield
        except redis.exceptions.OutOfMemoryError as error:
            raise StoreFullError(f"the Redis server has no room left: {error}") from error
        except redis.exceptions.RedisError as error:
            if "OOM" in str(error):
                raise StoreFullError(f"the Redis server has no room left: {error}") from error
            self._away_until = time.monotonic() + _AWAY_SECONDS
            raise StoreUnavailableError(f"the Redis server does not answer: {error}") from error


def _client(url: str, seconds: float) -> Any:
    # Once more at once: a connection of the pool may be one to a server that has been started again since.
    again = Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,))
    return redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=_TIMEOUT_SECONDS, retry=again)


def _told(row: EventRow) -> dict[str, Any]:
    """One event as the script takes it. Whose it is: the user's, else the visitor's."""
    occurred: datetime = row[c.OCCURRED_AT]
    received: datetime | None = row.get(c.RECEIVED_AT)
    told: dict[str, Any] = {
        "id": row[c.EVENT_ID],
        "kind": row[c.EVENT_TYPE],
        "counts_at": str(microseconds(occurred if received is None else max(occurred, received))),
        "payload": orjson.dumps({name: value for name, value in row.items() if value is not None}).decode(),
    }
    if row.get(c.USER_ID):
        told["user"] = row[c.USER_ID]
    else:
        told["visitor"] = row[c.ANONYMOUS_ID]
    if row.get(c.ITEM_ID) is not None:
        code, quantity = EventType(row[c.EVENT_TYPE]).code, row.get(c.QUANTITY)
        told["list"] = "shown:" if code == IMPRESSION else "did:"
        told["time"] = str(int(occurred.timestamp()))
        member = [row[c.ITEM_ID], code, 1.0 if quantity is None else float(quantity), row.get(c.ORDER_ID)]
        told["recent"] = orjson.dumps(member).decode()
    return told


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _consent(values: Sequence[bytes | None]) -> Consent:
    return Consent(*(None if value is None else value == b"1" for value in values))


def _key(found: Mapping[bytes, bytes]) -> KeyRecord | None:
    if not found:
        return None
    told = {name.decode(): value.decode() for name, value in found.items()}
    times = (int(told[name]) if name in told else None for name in ("expires_at", "revoked_at"))
    scopes = tuple(told["scopes"].split())
    return KeyRecord(told["id"], told["name"], told["hash"], scopes, int(told["created_at"]), *times)
