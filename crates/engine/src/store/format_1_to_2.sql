-- From format 1 to format 2: several orders of one decision count, and rows know who credited them. The orders that are
-- known get their parts from the log; the others are found when the answers are taken in again, from the log's beginning.
-- Rows of the quarantine expire; when these were quarantined is not known.
ALTER TABLE quarantine ADD COLUMN quarantined_ms INTEGER;
CREATE INDEX links_by_canonical ON links (canonical);
CREATE INDEX decisions_by_user ON decisions (user, decided_ms) WHERE sends = 1;
ALTER TABLE outcomes RENAME TO outcomes_of_format_1;
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
INSERT INTO outcomes (position, decision_id, event, part, credit, value, currency, at_ms)
    SELECT position, decision_id, event, x'', 'explicit', value, currency, at_ms FROM outcomes_of_format_1;
DROP TABLE outcomes_of_format_1;
DELETE FROM meta WHERE key = 'attributed_until';
