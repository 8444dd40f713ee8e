CREATE TABLE IF NOT EXISTS offsets (
    cluster TEXT, topic TEXT, partition INTEGER, next INTEGER,
    PRIMARY KEY (cluster, topic, partition)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS objects (
    survey TEXT, object_id TEXT, history TEXT, heard_at REAL,
    PRIMARY KEY (survey, object_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_age ON objects (heard_at);

-- What waits. `number` grows with every annotation; `since` is when its object began to wait.
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    survey TEXT, object_id TEXT, annotation TEXT, said TEXT,
    bits REAL, queued_at REAL, since REAL,
    not_before REAL DEFAULT 0, n_failures INTEGER DEFAULT 0,
    UNIQUE (survey, object_id)
);
CREATE INDEX IF NOT EXISTS outbox_by_bits ON outbox (survey, bits DESC, since);
CREATE INDEX IF NOT EXISTS outbox_by_age ON outbox (survey, since);

CREATE TABLE IF NOT EXISTS sent (
    survey TEXT, object_id TEXT, annotation TEXT, said TEXT, at REAL,
    PRIMARY KEY (survey, object_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS dead_letters (
    survey TEXT, object_id TEXT, annotation TEXT, said TEXT, words TEXT, at REAL,
    PRIMARY KEY (survey, object_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS calls (survey TEXT, at REAL);
CREATE INDEX IF NOT EXISTS calls_by_time ON calls (survey, at);
