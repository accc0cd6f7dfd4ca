-- From format 2 to format 3: the shop keeps texts of its own.
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
