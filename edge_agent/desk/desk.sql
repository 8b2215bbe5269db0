-- What the desk keeps for itself: who may do what, who did what, who is on, what was checked.
-- Times are Unix seconds. Its own file, FULL: a press that was answered outlives a power cut.
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    hash TEXT NOT NULL,             -- argon2id
    misses INTEGER NOT NULL DEFAULT 0,
    free_at REAL NOT NULL DEFAULT 0 -- locked out until
) STRICT;
CREATE TABLE IF NOT EXISTS session (
    token TEXT PRIMARY KEY,         -- SHA-256 of the cookie: this file opens no page
    name TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    used REAL NOT NULL,
    locked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS log (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    who TEXT NOT NULL,              -- empty: it happened by itself
    what TEXT NOT NULL,             -- a key of words.json, log_…
    about TEXT NOT NULL             -- JSON
) STRICT;
CREATE INDEX IF NOT EXISTS log_at ON log (at);
CREATE TABLE IF NOT EXISTS shift (
    id INTEGER PRIMARY KEY,
    date TEXT NOT NULL,             -- the day it began, UTC+8
    began REAL NOT NULL,
    ended REAL,
    note TEXT NOT NULL DEFAULT '',
    ended_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS duty (
    id INTEGER PRIMARY KEY,
    who TEXT NOT NULL,
    since REAL NOT NULL,
    until REAL
) STRICT;
CREATE TABLE IF NOT EXISTS checked (
    id TEXT PRIMARY KEY,            -- drawn by the page: a press sent twice counts once
    at REAL NOT NULL,
    shift INTEGER NOT NULL,
    what TEXT NOT NULL,
    outcome TEXT NOT NULL,
    plate TEXT NOT NULL,
    operation TEXT NOT NULL,
    who TEXT NOT NULL,
    boot TEXT,                      -- of the message that told the county; NULL: not told yet
    seq INTEGER,
    undone_at REAL
) STRICT;
CREATE INDEX IF NOT EXISTS checked_shift ON checked (shift);
CREATE INDEX IF NOT EXISTS checked_at ON checked (at);
CREATE TABLE IF NOT EXISTS waypoint ( -- patrol points the county told us of
    id TEXT PRIMARY KEY,            -- rid, or tst-…
    at REAL NOT NULL,               -- when it was told last
    about TEXT NOT NULL             -- JSON
) STRICT;
CREATE TABLE IF NOT EXISTS visit (
    place TEXT PRIMARY KEY,
    tst INTEGER NOT NULL,           -- of the last enter or leave
    about TEXT NOT NULL             -- JSON: desc, unit, tst, inside
) STRICT;
CREATE TABLE IF NOT EXISTS track (
    unit TEXT NOT NULL,
    tst INTEGER NOT NULL,
    lat INTEGER NOT NULL,           -- 1e-7 degree
    lon INTEGER NOT NULL,
    PRIMARY KEY (unit, tst)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (   -- rows of the board that outlive a restart
    section TEXT NOT NULL,
    key TEXT NOT NULL,
    row TEXT NOT NULL,              -- JSON
    PRIMARY KEY (section, key)
) STRICT;
