-- Format 3. Everything a shop's data directory holds, except the vault's key and the models' weights.

-- Single values: the check of the key, what is being delivered, the state of the policy.
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- The log: appended to, never changed but by an erasure. `message` is a keyed hash of the messageId, `sealed` what may
-- name a person.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    message BLOB NOT NULL UNIQUE,
    user BLOB NOT NULL,
    kind INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    properties TEXT NOT NULL,
    sealed BLOB
) STRICT;

-- The vault's table: who a pseudonym is.
CREATE TABLE identities (pseudonym BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE shoppers (
    pseudonym BLOB PRIMARY KEY,
    guest INTEGER NOT NULL,
    locale TEXT,
    timezone TEXT,
    sealed BLOB
) STRICT, WITHOUT ROWID;

-- Browsers and devices that turned out to be a known shopper's.
CREATE TABLE links (alias BLOB PRIMARY KEY, canonical BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_canonical ON links (canonical);

CREATE TABLE consents (
    user BLOB NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (user, channel, purpose)
) STRICT, WITHOUT ROWID;

-- What order lines say of their products, from which a catalogue is put together where none was imported.
CREATE TABLE product_titles (
    product_id TEXT NOT NULL,
    title TEXT NOT NULL,
    lines INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (product_id, title)
) STRICT, WITHOUT ROWID;
CREATE TABLE product_prices (
    product_id TEXT NOT NULL,
    price_minor INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (product_id, price_minor)
) STRICT, WITHOUT ROWID;

CREATE TABLE products (id TEXT PRIMARY KEY, product TEXT NOT NULL, derived INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Rows that were not taken in, encrypted, until somebody repairs them or they expire. `quarantined_ms` is NULL for rows of
-- format 1 until the next import dates them.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    row_key BLOB NOT NULL UNIQUE,
    format TEXT NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    sealed BLOB NOT NULL,
    repaired INTEGER NOT NULL DEFAULT 0,
    quarantined_ms INTEGER
) STRICT;

-- The shop's own texts, in the order in which they were kept; `reason` says why one was paused.
CREATE TABLE variants (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    status TEXT NOT NULL,
    kept_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    reason TEXT,
    variant TEXT NOT NULL
) STRICT;

-- What was decided, and what came of it.
CREATE TABLE decisions (
    position INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL UNIQUE,
    run TEXT NOT NULL,
    user BLOB NOT NULL,
    channel TEXT NOT NULL,
    sends INTEGER NOT NULL,
    decided_ms INTEGER NOT NULL,
    decision TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_time ON decisions (decided_ms, channel) WHERE sends = 1;
CREATE INDEX decisions_by_run ON decisions (run);
CREATE INDEX decisions_by_user ON decisions (user, decided_ms) WHERE sends = 1;

-- `part` is empty but for orders, whose parts add up; `credit` says whether the event named its decision (`explicit`) or
-- the shopper had seen its message last (`last_touch`).
CREATE TABLE outcomes (
    position INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL,
    event TEXT NOT NULL,
    order_id TEXT,
    part BLOB NOT NULL,
    credit TEXT NOT NULL,
    value REAL NOT NULL,
    currency TEXT,
    at_ms INTEGER NOT NULL,
    UNIQUE (decision_id, event, part)
) STRICT;
CREATE INDEX outcomes_by_order ON outcomes (order_id) WHERE order_id IS NOT NULL;
