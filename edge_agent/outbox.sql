-- The outbox's database: the only queue, and everything else that must survive a power cut.
-- application_id says whose file this is (outbox_store.py); user_version is the schema's.

-- One record on its way to the county. `id` = lane << 56 | arrival number: the primary key alone
-- keeps every lane in order, so that a lane is read and thinned without any further index.
CREATE TABLE record (
    id      INTEGER PRIMARY KEY,
    topic   TEXT    NOT NULL,
    payload BLOB    NOT NULL,
    sender  TEXT    NOT NULL,
    boot    TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    qos     INTEGER NOT NULL,
    retain  INTEGER NOT NULL,
    sos     TEXT,
    state   TEXT,
    at      REAL    NOT NULL,   -- Unix s at which this agent took it in
    thinned INTEGER NOT NULL DEFAULT 0, -- how often its neighbours were dropped
    stamp   TEXT                -- JSON [kernel boot, s in it, clock]: that clock was not set
);
CREATE INDEX record_sos ON record (sos) WHERE sos IS NOT NULL;

-- Rows and bytes of each lane, kept in the transaction that changes them: counting 250,000 rows
-- at start would take longer than the start.
CREATE TABLE tally (
    lane  INTEGER PRIMARY KEY,
    rows  INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);
INSERT INTO tally VALUES (0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0);

-- What was dropped and not yet declared to the county in a `gap` record. since and until are Unix
-- s; where the clock was not set, s in the kernel boot `clock`.
CREATE TABLE gap (
    sender TEXT    NOT NULL,
    boot   TEXT    NOT NULL,
    klass  INTEGER NOT NULL,
    why    TEXT    NOT NULL,
    clock  TEXT    NOT NULL,
    low    INTEGER NOT NULL,
    high   INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    since  REAL    NOT NULL,
    until  REAL    NOT NULL,
    PRIMARY KEY (sender, boot, klass, why, clock)
) WITHOUT ROWID;

-- Small states of the rooms: replay windows, open SOSs, counters.
CREATE TABLE kept (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- What a unit sent that the contract does not know; the oldest go first.
CREATE TABLE quarantine (
    id      INTEGER PRIMARY KEY,
    at      REAL NOT NULL,
    client  TEXT NOT NULL,
    topic   TEXT NOT NULL,
    payload BLOB NOT NULL,
    why     TEXT NOT NULL
);

-- The units' endpoint: MQTT session state (OASIS MQTT 5.0, 4.1).
CREATE TABLE session (
    client TEXT PRIMARY KEY,
    expiry INTEGER NOT NULL,    -- s after the connection's end; 4294967295: never
    ended  REAL                 -- Unix s, for people; NULL while connected
) WITHOUT ROWID;
CREATE TABLE subscription (
    client  TEXT    NOT NULL,
    filter  TEXT    NOT NULL,
    options INTEGER NOT NULL,
    PRIMARY KEY (client, filter)
) WITHOUT ROWID;
CREATE TABLE down (             -- QoS 1 messages waiting for a unit's PUBACK
    id      INTEGER PRIMARY KEY,
    client  TEXT    NOT NULL,
    topic   TEXT    NOT NULL,
    payload BLOB    NOT NULL,
    retain  INTEGER NOT NULL,
    expires REAL                -- Unix s
);
CREATE INDEX down_client ON down (client);
CREATE TABLE retained (
    topic   TEXT PRIMARY KEY,
    payload BLOB NOT NULL,
    at      REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE will (             -- of units that are connected: published if the power goes
    client  TEXT PRIMARY KEY,
    topic   TEXT    NOT NULL,
    payload BLOB    NOT NULL,
    retain  INTEGER NOT NULL
) WITHOUT ROWID;
