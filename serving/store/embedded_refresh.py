"""The part of the embedded store that tags of single users stand on: arrivals, cursors and profiles."""

import zlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import orjson

from features.contracts import columns as c
from serving.store.connections import Connections
from serving.store.protocol import Arrival, Profile, QueuedEvent

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class RefreshTables:
    """Arrivals, cursors and profiles of one store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def arrivals_after(self, position: int, limit: int) -> list[Arrival]:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT position, coalesce(inbox.user_id, merges.user_id), kind, counts_at "
                "FROM inbox LEFT JOIN merges USING (anonymous_id) "
                "WHERE position > ? AND kind IS NOT NULL ORDER BY position LIMIT ?",
                (position, limit),
            ).fetchall()
        return [Arrival(place, user, kind, moment(at)) for place, user, kind, at in found]

    def queued_of(self, users: Collection[str], position: int) -> list[QueuedEvent]:
        wanted = orjson.dumps(list(users)).decode()
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT position, payload, NULL FROM inbox "
                "WHERE user_id IN (SELECT value FROM json_each(?1)) AND payload IS NOT NULL AND position <= ?2 "
                "UNION ALL "
                "SELECT position, payload, merges.user_id FROM merges JOIN inbox USING (anonymous_id) "
                "WHERE merges.user_id IN (SELECT value FROM json_each(?1)) AND payload IS NOT NULL AND position <= ?2 "
                "ORDER BY position",
                (wanted, position),
            ).fetchall()
        events = []
        for place, payload, user_id in found:
            row = orjson.loads(payload)
            events.append(QueuedEvent(place, row if user_id is None else {**row, c.USER_ID: user_id}))
        return events

    def first_queued(self) -> int | None:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT position FROM inbox WHERE payload IS NOT NULL ORDER BY position LIMIT 1"
            ).fetchone()
        return found[0] if found else None

    def cursor(self, name: str) -> int:
        with self._connections.reading() as connection:
            found = connection.execute("SELECT position FROM cursors WHERE name = ?", (name,)).fetchone()
        return found[0] if found else 0

    def set_cursor(self, name: str, position: int) -> None:
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT INTO cursors (name, position) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                (name, position),
            )

    def put_profiles(self, profiles: Sequence[Profile]) -> None:
        rows = [
            (
                profile.user_id,
                microseconds(profile.as_of),
                microseconds(profile.built_at),
                profile.spec_hash,
                profile.position,
                zlib.compress(orjson.dumps(profile.tags), 1),
            )
            for profile in profiles
        ]
        with self._connections.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?, ?, ?)", rows)

    def profile(self, user_id: str) -> Profile | None:
        with self._connections.reading() as connection:
            found = connection.execute("SELECT * FROM profiles WHERE user_id = ?", (user_id,)).fetchone()
        if found is None:
            return None
        name, as_of, built_at, spec, position, tags = found
        return Profile(name, moment(as_of), moment(built_at), spec, position, orjson.loads(zlib.decompress(tags)))

    def profiled(self, users: Collection[str]) -> dict[str, tuple[int, datetime]]:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT user_id, position, as_of FROM profiles WHERE user_id IN (SELECT value FROM json_each(?))",
                (orjson.dumps(list(users)).decode(),),
            ).fetchall()
        return {user: (position, moment(as_of)) for user, position, as_of in found}

    def drop_profiles(self, before: datetime, keep: str) -> int:
        with self._connections.writing() as connection:
            return connection.execute(
                "DELETE FROM profiles WHERE as_of < ? OR spec_hash <> ?", (microseconds(before), keep)
            ).rowcount


def microseconds(at: datetime) -> int:
    """An aware moment as microseconds since 1970."""
    return (at - _START) // _MICROSECOND


def moment(at: int) -> datetime:
    """The other way."""
    return _START + at * _MICROSECOND
