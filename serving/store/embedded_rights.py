"""The part of the embedded store that forgets users, and the part that remembers answers to repeated calls."""

from collections.abc import Collection

import orjson

from serving.store.connections import Connections
from serving.store.protocol import Bounds, KeptAnswer

#: ``?1`` is a JSON list of user ids. In this order: the merges say which visits are the users', and go last.
_ERASURES = (
    """
    DELETE FROM recent WHERE owner IN (SELECT 'u:' || value FROM json_each(?1)) OR owner IN (
        SELECT 'a:' || anonymous_id FROM merges WHERE user_id IN (SELECT value FROM json_each(?1)))
    """,
    """
    UPDATE inbox SET payload = NULL, user_id = NULL, anonymous_id = NULL, kind = NULL, counts_at = NULL
    WHERE user_id IN (SELECT value FROM json_each(?1)) OR (user_id IS NULL AND anonymous_id IN (
        SELECT anonymous_id FROM merges WHERE user_id IN (SELECT value FROM json_each(?1))))
    """,
    "DELETE FROM profiles WHERE user_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM changes WHERE kind = 'user' AND id IN (SELECT value FROM json_each(?1))",
    """
    DELETE FROM changes WHERE kind = 'login'
        AND json_extract(CAST(fields AS TEXT), '$.user_id') IN (SELECT value FROM json_each(?1))
    """,
    "DELETE FROM merges WHERE user_id IN (SELECT value FROM json_each(?1))",
)


class RightsTables:
    """Erasure, and answers to repeated calls, in one store."""

    _connections: Connections
    _bounds: Bounds

    def erase(self, users: Collection[str]) -> int:
        wanted = orjson.dumps(list(users)).decode()
        gone = 0
        with self._connections.writing() as connection:
            for statement in _ERASURES:
                gone += connection.execute(statement, (wanted,)).rowcount
            connection.execute(
                "INSERT INTO consents (user_id, revision, personalization, marketing) "
                "SELECT value, (SELECT coalesce(max(revision), 0) FROM consents) + key + 1, 0, 0 FROM json_each(?) "
                "WHERE true ON CONFLICT (user_id) DO UPDATE SET "
                "revision = excluded.revision, personalization = 0, marketing = 0",
                (wanted,),
            )
        with self._connections.reading() as connection:
            # What was deleted is overwritten (secure_delete); this takes it out of the write-ahead log, too. While
            # another reads, the log stays until the next checkpoint.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return gone

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
