-- The docks' memory. journal_mode WAL, synchronous FULL: a commit is on disk when it returns.

CREATE TABLE IF NOT EXISTS docking (   -- one camera put into one bay, once
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  bay        TEXT NOT NULL,
  camera     TEXT NOT NULL,            -- serial number, with the volume's where it has one
  started_ms INTEGER NOT NULL,         -- Unix milliseconds
  ended_ms   INTEGER,                  -- NULL while the camera is here; ends every claim of its thread
  offset_s   INTEGER,                  -- camera's clock minus ours, before any correction
  bag        TEXT NOT NULL,            -- folder under bags/
  bagged     INTEGER NOT NULL DEFAULT 0  -- recordings in the manifest when it was last written
);

CREATE TABLE IF NOT EXISTS recording (
  id          TEXT PRIMARY KEY,        -- 32 hex, from the next five
  camera      TEXT NOT NULL,
  path        BLOB NOT NULL,           -- on the camera, as bytes: names may be GBK
  size        INTEGER NOT NULL,
  mtime_ns    INTEGER NOT NULL,        -- the camera's clock
  fingerprint TEXT NOT NULL,           -- of its first and last 64 KiB
  state       TEXT NOT NULL,
  docking     INTEGER NOT NULL REFERENCES docking (id),  -- the last that worked on it
  copied      INTEGER NOT NULL DEFAULT 0,
  sha256      TEXT,
  sm3         TEXT,
  file        TEXT,                    -- under bags/, fixed before the rename
  member      TEXT,
  taken       TEXT,                    -- local time by the name, uncorrected
  marked      INTEGER NOT NULL DEFAULT 0,
  held        INTEGER NOT NULL DEFAULT 0,
  upload_url  TEXT,
  checked_ms  INTEGER,                 -- when the upload server was last asked for it
  sealed_ms   INTEGER
);
CREATE INDEX IF NOT EXISTS recording_state ON recording (state);
CREATE INDEX IF NOT EXISTS recording_of_docking ON recording (docking, state);

CREATE TABLE IF NOT EXISTS chunk (     -- written only after the bytes are on disk
  recording TEXT NOT NULL REFERENCES recording (id),
  end       INTEGER NOT NULL,          -- bytes from the start of the file
  prefix    BLOB NOT NULL,             -- SHA-256 of the file up to `end`
  PRIMARY KEY (recording, end)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS journal (   -- custody; see custody.py
  n         INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms     INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  bay       TEXT,
  docking   INTEGER,
  recording TEXT,
  detail    TEXT NOT NULL,             -- JSON, sorted keys
  prev      BLOB NOT NULL,
  hash      BLOB NOT NULL,
  sig       BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_recording ON journal (recording);
CREATE TRIGGER IF NOT EXISTS journal_keeps BEFORE UPDATE ON journal
  BEGIN SELECT RAISE (ABORT, 'the custody journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_keeps_all BEFORE DELETE ON journal
  BEGIN SELECT RAISE (ABORT, 'the custody journal is append-only'); END;

CREATE TABLE IF NOT EXISTS relayed (   -- how far the journal has been handed to the outbox
  one INTEGER PRIMARY KEY CHECK (one = 1),
  n   INTEGER NOT NULL
);
INSERT OR IGNORE INTO relayed VALUES (1, 0);
