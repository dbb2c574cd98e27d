"""The tables of the embedded store."""

#: Raised with every change of the tables; a store of another version is refused, not guessed at.
VERSION = 3

#: What tags of single users need; in stores of every version from 2 on.
_REFRESH = """
CREATE INDEX inbox_user ON inbox (user_id) WHERE payload IS NOT NULL AND user_id IS NOT NULL;
CREATE INDEX inbox_visitor ON inbox (anonymous_id) WHERE payload IS NOT NULL AND anonymous_id IS NOT NULL;
CREATE INDEX merges_user ON merges (user_id);

CREATE TABLE profiles (
    user_id TEXT PRIMARY KEY,
    as_of INTEGER NOT NULL,     -- microseconds since 1970
    built_at INTEGER NOT NULL,  -- microseconds since 1970
    spec_hash TEXT NOT NULL,
    position INTEGER NOT NULL,  -- in the inbox, up to which events were looked at
    tags BLOB NOT NULL          -- JSON object, zlib
);
CREATE INDEX profiles_moment ON profiles (as_of);

CREATE TABLE cursors (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
"""

#: Answers to calls that carry an idempotency key; in stores of every version from 3 on.
_ANSWERS = """
CREATE TABLE answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    expires_at INTEGER NOT NULL  -- seconds since 1970
);
CREATE INDEX answers_end ON answers (expires_at);
"""

TABLES = (
    """
CREATE TABLE inbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    anonymous_id TEXT,          -- set when the event names no user
    received_at INTEGER NOT NULL,
    payload BLOB,               -- JSON of the whole event; NULL once it is in the lake
    user_id TEXT,               -- as the event names him
    kind TEXT,                  -- type of the event; NULL when it was in the lake before version 2
    counts_at INTEGER           -- microseconds since 1970: when it had both occurred and been received
);
CREATE INDEX inbox_queue ON inbox (position) WHERE payload IS NOT NULL;

CREATE TABLE recent (
    owner TEXT NOT NULL,        -- 'u:' user id or 'a:' anonymous id
    time INTEGER NOT NULL,
    position INTEGER NOT NULL,  -- of the event in the inbox: settles equal times
    item_id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    quantity REAL NOT NULL,
    order_id TEXT,
    PRIMARY KEY (owner, time, position)
) WITHOUT ROWID;

CREATE TABLE merges (anonymous_id TEXT PRIMARY KEY, user_id TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE consents (
    user_id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    personalization INTEGER,
    marketing INTEGER
) WITHOUT ROWID;
CREATE INDEX consents_revision ON consents (revision);

CREATE TABLE changes (
    kind TEXT NOT NULL,         -- 'item', 'user', or 'login' on its way to the lake
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,  -- grows with every change of the kind
    fields BLOB NOT NULL,       -- JSON object
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX changes_revision ON changes (kind, revision);

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
);
"""
    + _REFRESH
    + _ANSWERS
)

#: From the version of the key to the next one. Events that wait for the lake are read again, those in it are past.
MIGRATIONS = {
    1: """
ALTER TABLE inbox ADD COLUMN user_id TEXT;
ALTER TABLE inbox ADD COLUMN kind TEXT;
ALTER TABLE inbox ADD COLUMN counts_at INTEGER;
UPDATE inbox SET
    user_id = json_extract(CAST(payload AS TEXT), '$.user_id'),
    kind = json_extract(CAST(payload AS TEXT), '$.event_type'),
    counts_at = received_at * 1000000
WHERE payload IS NOT NULL;
"""
    + _REFRESH,
    2: _ANSWERS,
}
