"""The online store in one SQLite file: nothing to install, durable, shared by the workers of one machine."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from features.contracts import columns as c
from features.contracts.events import EventType
from serving.store.connections import Connections
from serving.store.embedded_refresh import RefreshTables, microseconds
from serving.store.embedded_rights import RightsTables, last_revision
from serving.store.protocol import (
    IMPRESSION,
    RECENT_LIMIT,
    Bounds,
    Change,
    Consent,
    ConsentChange,
    EventRow,
    KeyRecord,
    Login,
    Merge,
    QueuedEvent,
    RecentEvent,
    Visitor,
    latest,
)

_REMEMBER_SECONDS = 30 * 86_400  # how long the id of a drained event still marks a retry as a duplicate


class EmbeddedStore(RefreshTables, RightsTables):
    """An :class:`~serving.store.protocol.OnlineStore` over SQLite (write-ahead log, a sync per commit)."""

    def __init__(self, file: Path, bounds: Bounds | None = None, *, max_bytes: int | None = None) -> None:
        self._bounds = bounds or Bounds()
        super().__init__(Connections(file, max_bytes))

    def ping(self) -> None:
        with self._connections.writing() as connection:
            connection.execute("SELECT 1 FROM keys LIMIT 1").fetchone()

    def close(self) -> None:
        self._connections.close()

    # --- events -------------------------------------------------------------------------------------------
    def add_events(self, rows: Sequence[EventRow]) -> list[bool]:
        encoded = [_encode(row) for row in rows]
        now = int(time.time())
        fresh: list[bool] = []
        touched: set[str] = set()
        with self._connections.writing() as connection:
            for row, payload in zip(rows, encoded, strict=True):
                anonymous = None if row.get(c.USER_ID) else row.get(c.ANONYMOUS_ID)
                cursor = connection.execute(
                    "INSERT OR IGNORE INTO inbox "
                    "(event_id, anonymous_id, received_at, payload, user_id, kind, counts_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        row[c.EVENT_ID],
                        anonymous,
                        now,
                        payload,
                        row.get(c.USER_ID) or None,
                        row[c.EVENT_TYPE],
                        _counts_at(row),
                    ),
                )
                fresh.append(cursor.rowcount == 1)
                if fresh[-1] and row.get(c.ITEM_ID) is not None:
                    touched.add(_remember(connection, row, cursor.lastrowid or 0))
            for owner in touched:
                self._trim(connection, owner)
        return fresh

    def recent(self, visitor: Visitor, limit: int = RECENT_LIMIT) -> list[RecentEvent]:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT item_id, kind, time, quantity, order_id FROM recent WHERE owner = ? ORDER BY time, position",
                (_owner(connection, visitor),),
            ).fetchall()
        return latest(list(map(RecentEvent._make, found)), limit)

    def queued(self, limit: int) -> list[QueuedEvent]:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT position, payload FROM inbox WHERE payload IS NOT NULL ORDER BY position LIMIT ?", (limit,)
            ).fetchall()
        return [QueuedEvent(position, orjson.loads(payload)) for position, payload in found]

    def mark_drained(self, positions: Sequence[int]) -> None:
        forget = int(time.time()) - _REMEMBER_SECONDS
        with self._connections.writing() as connection:
            connection.executemany("UPDATE inbox SET payload = NULL WHERE position = ?", [(p,) for p in positions])
            connection.execute("DELETE FROM inbox WHERE payload IS NULL AND received_at < ?", (forget,))

    def queue_length(self) -> int:
        with self._connections.reading() as connection:
            (count,) = connection.execute("SELECT count(*) FROM inbox WHERE payload IS NOT NULL").fetchone()
        return int(count)

    def queue_bound(self) -> int:
        # Each end is one look into the index of the queue. Erased and repeated events leave gaps between them.
        waiting = "SELECT {}(position) FROM inbox WHERE payload IS NOT NULL"
        with self._connections.reading() as connection:
            (first,) = connection.execute(waiting.format("min")).fetchone()
            (last,) = connection.execute(waiting.format("max")).fetchone()
        return 0 if first is None else int(last) - int(first) + 1

    def _trim(self, connection: sqlite3.Connection, owner: str) -> None:
        # Most visitors hold less than either bound: one look at keys instead of two at whole rows.
        if not connection.execute(
            "SELECT 1 FROM recent WHERE owner = ? LIMIT 1 OFFSET ?", (owner, self._bounds.recent)
        ).fetchone():
            return
        for shown in (True, False):
            boundary = connection.execute(
                "SELECT time, position FROM recent WHERE owner = ? AND (kind = ?) = ? "
                "ORDER BY time DESC, position DESC LIMIT 1 OFFSET ?",
                (owner, IMPRESSION, shown, self._bounds.recent),
            ).fetchone()
            if boundary is not None:
                connection.execute(
                    "DELETE FROM recent WHERE owner = ? AND (kind = ?) = ? AND (time, position) <= (?, ?)",
                    (owner, IMPRESSION, shown, *boundary),
                )

    # --- identities and consent ---------------------------------------------------------------------------
    def merge(self, anonymous_id: str, user_id: str) -> Merge:
        with self._connections.writing() as connection:
            before = _merged_into(connection, anonymous_id)
            connection.execute(
                "INSERT INTO merges (anonymous_id, user_id) VALUES (?, ?) "
                "ON CONFLICT (anonymous_id) DO UPDATE SET user_id = excluded.user_id",
                (anonymous_id, user_id),
            )
            # A second user on the same device takes over from now on; what moved to the first one stays there.
            moved = connection.execute(
                "UPDATE recent SET owner = ? WHERE owner = ?", (f"u:{user_id}", f"a:{anonymous_id}")
            ).rowcount
            self._trim(connection, f"u:{user_id}")
            if before != user_id:
                login = {c.ANONYMOUS_ID: anonymous_id, c.USER_ID: user_id, "at": int(time.time())}
                connection.execute(
                    "INSERT INTO changes (kind, id, revision, fields) "
                    "SELECT 'login', ? || char(31) || number, number, ? FROM ("
                    "SELECT coalesce(max(revision), 0) + 1 AS number FROM changes WHERE kind = 'login')",
                    (anonymous_id, orjson.dumps(login)),
                )
        return Merge(moved, before if before != user_id else None)

    def logins(self, limit: int) -> list[Login]:
        changes = self._since("login", 0)[:limit]
        return [Login(t.revision, t.fields[c.ANONYMOUS_ID], t.fields[c.USER_ID], t.fields["at"]) for t in changes]

    def forget_logins(self, position: int) -> None:
        with self._connections.writing() as connection:
            connection.execute("DELETE FROM changes WHERE kind = 'login' AND revision <= ?", (position,))

    def user_of(self, anonymous_id: str) -> str | None:
        with self._connections.reading() as connection:
            return _merged_into(connection, anonymous_id)

    def consent(self, user_id: str) -> Consent:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT personalization, marketing FROM consents WHERE user_id = ?", (user_id,)
            ).fetchone()
        return _consent(found) if found else Consent()

    def set_consent(self, user_id: str, consent: Consent) -> Consent:
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT INTO consents (user_id, revision, personalization, marketing) "  # noqa: S608 - words of ours
                f"VALUES (?, {last_revision('consents')} + 1, ?, ?) "
                "ON CONFLICT (user_id) DO UPDATE SET revision = excluded.revision, "
                "personalization = coalesce(excluded.personalization, personalization), "
                "marketing = coalesce(excluded.marketing, marketing)",
                (user_id, consent.personalization, consent.marketing),
            )
        return self.consent(user_id)

    def consents_since(self, revision: int) -> list[ConsentChange]:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT revision, user_id, personalization, marketing FROM consents WHERE revision > ? "
                "ORDER BY revision",
                (revision,),
            ).fetchall()
        return [ConsentChange(number, user_id, _consent(values)) for number, user_id, *values in found]

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
        with self._connections.writing() as connection:
            (revision,) = connection.execute(f"SELECT {last_revision(kind)}").fetchone()
            for number, (key, fields) in enumerate(changes.items(), revision + 1):
                known = connection.execute(
                    "SELECT fields FROM changes WHERE kind = ? AND id = ?", (kind, key)
                ).fetchone()
                merged = {**(orjson.loads(known[0]) if known else {}), **fields}
                connection.execute(
                    "INSERT INTO changes (kind, id, revision, fields) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, fields = excluded.fields",
                    (kind, key, number, orjson.dumps(merged)),
                )

    def _since(self, kind: str, revision: int) -> list[Change]:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT revision, id, fields FROM changes WHERE kind = ? AND revision > ? ORDER BY revision",
                (kind, revision),
            ).fetchall()
        return [Change(number, key, orjson.loads(fields)) for number, key, fields in found]

    # --- API keys -----------------------------------------------------------------------------------------
    def add_key(self, key: KeyRecord) -> None:
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key.id, key.name, key.hash, " ".join(key.scopes), key.created_at, key.expires_at, key.revoked_at),
            )

    def key(self, key_id: str) -> KeyRecord | None:
        with self._connections.reading() as connection:
            found = connection.execute("SELECT * FROM keys WHERE id = ?", (key_id,)).fetchone()
        return _key(found) if found else None

    def keys(self) -> list[KeyRecord]:
        with self._connections.reading() as connection:
            return [_key(row) for row in connection.execute("SELECT * FROM keys ORDER BY created_at, id").fetchall()]

    def revoke_key(self, key_id: str, at: int) -> bool:
        with self._connections.writing() as connection:
            cursor = connection.execute(
                "UPDATE keys SET revoked_at = ? WHERE id = ? AND (revoked_at IS NULL OR revoked_at > ?)",
                (at, key_id, at),
            )
        return cursor.rowcount == 1


def _encode(row: EventRow) -> bytes:
    return orjson.dumps({name: value for name, value in row.items() if value is not None})


def _counts_at(row: EventRow) -> int:
    """The moment from which on tags show the event: it has occurred and is known, in microseconds."""
    occurred: datetime = row[c.OCCURRED_AT]
    received: datetime | None = row.get(c.RECEIVED_AT)
    return microseconds(occurred if received is None else max(occurred, received))


def _remember(connection: sqlite3.Connection, row: EventRow, position: int) -> str:
    """Add an item event to the visitor's latest ones; returns the owner."""
    user_id = row.get(c.USER_ID)
    visitor = Visitor(user_id=user_id) if user_id else Visitor(anonymous_id=row[c.ANONYMOUS_ID])
    owner = _owner(connection, visitor)
    moment: datetime = row[c.OCCURRED_AT]
    quantity = row.get(c.QUANTITY)
    connection.execute(
        "INSERT INTO recent (owner, time, position, item_id, kind, quantity, order_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            owner,
            int(moment.timestamp()),
            position,
            row[c.ITEM_ID],
            EventType(row[c.EVENT_TYPE]).code,
            1.0 if quantity is None else float(quantity),
            row.get(c.ORDER_ID),
        ),
    )
    return owner


def _owner(connection: sqlite3.Connection, visitor: Visitor) -> str:
    user_id = visitor.user_id
    if user_id is None and visitor.anonymous_id is not None:
        user_id = _merged_into(connection, visitor.anonymous_id)
    return f"u:{user_id}" if user_id is not None else f"a:{visitor.anonymous_id}"


def _merged_into(connection: sqlite3.Connection, anonymous_id: str) -> str | None:
    found = connection.execute("SELECT user_id FROM merges WHERE anonymous_id = ?", (anonymous_id,)).fetchone()
    return found[0] if found else None


def _consent(values: Sequence[int | None]) -> Consent:
    return Consent(*(None if value is None else bool(value) for value in values))


def _key(row: tuple[Any, ...]) -> KeyRecord:
    key_id, name, digest, scopes, *times = row
    return KeyRecord(key_id, name, digest, tuple(scopes.split()), *times)
