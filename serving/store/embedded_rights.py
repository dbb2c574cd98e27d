"""The part of the embedded store that forgets users, and the part that remembers answers to repeated calls."""

from collections.abc import Collection

import orjson

from serving.store.connections import Connections
from serving.store.protocol import Bounds, KeptAnswer

#: ``?1`` and ``?2`` are JSON lists of user ids and of anonymous ids; the merges say which other visits are the users'.
_WHO = """
WITH users AS (SELECT value AS id FROM json_each(?1)),
visitors AS (SELECT value AS id FROM json_each(?2) UNION SELECT anonymous_id FROM merges JOIN users ON user_id = id)
"""
#: Table and which of its rows. The merges go last.
_RECORDS = (
    ("recent", "owner IN (SELECT 'u:' || id FROM users) OR owner IN (SELECT 'a:' || id FROM visitors)"),
    (
        "inbox",
        "user_id IN (SELECT id FROM users) OR (user_id IS NULL AND anonymous_id IN (SELECT id FROM visitors))",
    ),
    ("profiles", "user_id IN (SELECT id FROM users)"),
    ("consents", "user_id IN (SELECT id FROM users)"),
    ("changes", "kind = 'user' AND id IN (SELECT id FROM users)"),
    (
        "changes",
        "kind = 'login' AND (json_extract(CAST(fields AS TEXT), '$.user_id') IN (SELECT id FROM users) "
        "OR json_extract(CAST(fields AS TEXT), '$.anonymous_id') IN (SELECT id FROM visitors))",
    ),
    ("answers", "EXISTS (SELECT 1 FROM users WHERE instr(CAST(body AS TEXT), json_quote(users.id)))"),
    ("merges", "user_id IN (SELECT id FROM users) OR anonymous_id IN (SELECT id FROM visitors)"),
)


def last_revision(kind: str) -> str:
    """SQL for the last revision of a ``kind`` (consents, user, item), also of one whose record was erased since."""
    source = "consents" if kind == "consents" else f"changes WHERE kind = '{kind}'"
    return (
        f"max((SELECT coalesce(max(revision), 0) FROM {source}), "  # noqa: S608 - words of ours
        f"coalesce((SELECT position FROM cursors WHERE name = 'revision of {kind}'), 0))"
    )


class RightsTables:
    """Erasure, and answers to repeated calls, in one store."""

    _connections: Connections
    _bounds: Bounds

    def devices_of(self, users: Collection[str]) -> list[str]:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT anonymous_id FROM merges WHERE user_id IN (SELECT value FROM json_each(?)) ORDER BY 1",
                (_listed(users),),
            ).fetchall()
        return [device for (device,) in found]

    def erase(self, users: Collection[str], visitors: Collection[str] = ()) -> int:
        wanted = (_listed(users), _listed(visitors))
        with self._connections.writing() as connection:
            for kind in ("consents", "user"):
                connection.execute(
                    f"INSERT OR REPLACE INTO cursors (name, position) "  # noqa: S608 - words of ours
                    f"VALUES ('revision of {kind}', {last_revision(kind)})"
                )
            before = connection.total_changes
            for table, which in _RECORDS:
                connection.execute(f"{_WHO} DELETE FROM {table} WHERE {which}", wanted)  # noqa: S608 - words of ours
            gone = connection.total_changes - before
        with self._connections.reading() as connection:
            # What was deleted is overwritten (secure_delete); this takes it out of the write-ahead log, too. While
            # another reads, the log stays until the next checkpoint.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return gone

    def held_of(self, users: Collection[str], visitors: Collection[str] = ()) -> int:
        wanted = (_listed(users), _listed(visitors))
        with self._connections.reading() as connection:
            return sum(
                connection.execute(f"{_WHO} SELECT count(*) FROM {table} WHERE {which}", wanted).fetchone()[0]  # noqa: S608
                for table, which in _RECORDS
            )

    # --- repeated calls -----------------------------------------------------------------------------------
    def keep_answer(self, key: str, answer: KeptAnswer, *, now: int) -> KeptAnswer:
        with self._connections.writing() as connection:
            connection.execute("DELETE FROM answers WHERE expires_at <= ?", (now,))
            connection.execute(
                "INSERT OR IGNORE INTO answers (key, fingerprint, status, body, expires_at) VALUES (?, ?, ?, ?, ?)",
                (key, answer.fingerprint, answer.status, answer.body, answer.expires_at),
            )
            connection.execute(
                "DELETE FROM answers WHERE number <= (SELECT max(number) FROM answers) - ?", (self._bounds.answers,)
            )
        return self.kept_answer(key, now=now) or answer

    def kept_answer(self, key: str, *, now: int) -> KeptAnswer | None:
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT fingerprint, status, body, expires_at FROM answers WHERE key = ? AND expires_at > ?", (key, now)
            ).fetchone()
        return KeptAnswer(*found) if found else None


def _listed(ids: Collection[str]) -> str:
    return orjson.dumps(list(ids)).decode()
