"""The tables of the embedded store."""

#: Raised with every change of the tables; a store of another version is refused, not guessed at.
VERSION = 1

TABLES = """
CREATE TABLE inbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    anonymous_id TEXT,          -- set when the event names no user, so that a merge can name one later
    received_at INTEGER NOT NULL,
    payload BLOB                -- JSON of the whole event; NULL once it is in the lake
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
    kind TEXT NOT NULL,         -- 'item' or 'user'
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
