-- A database that was restored from a backup has lost what was applied since. That it was applied once stays on
-- record. A UNIQUE of a table cannot be narrowed: the table is made anew
-- (https://sqlite.org/lang_altertable.html).
DROP VIEW migration_log;

CREATE TABLE new_migrations (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services (name),
    number INTEGER NOT NULL CHECK (number > 0),
    name TEXT NOT NULL CHECK (name <> ''),
    phase TEXT NOT NULL CHECK (phase IN ('expand', 'backfill', 'contract')),
    checksum TEXT NOT NULL CHECK (checksum <> ''), -- SHA-256 of the file
    version TEXT NOT NULL,
    author TEXT NOT NULL,
    applied_at REAL NOT NULL,
    seconds REAL NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0 CHECK (lost IN (0, 1)) -- the database does not have it any more
) STRICT;

INSERT INTO new_migrations (
    id, service, number, name, phase, checksum, version, author, applied_at, seconds
)
SELECT id, service, number, name, phase, checksum, version, author, applied_at, seconds FROM migrations;

DROP TABLE migrations;
ALTER TABLE new_migrations RENAME TO migrations;

CREATE UNIQUE INDEX one_migration_per_phase ON migrations (service, number, phase) WHERE NOT lost;

CREATE TRIGGER migrations_are_not_changed BEFORE UPDATE ON migrations
WHEN OLD.lost OR NOT NEW.lost OR (
    OLD.id, OLD.service, OLD.number, OLD.name, OLD.phase, OLD.checksum, OLD.version, OLD.author,
    OLD.applied_at, OLD.seconds
) <> (
    NEW.id, NEW.service, NEW.number, NEW.name, NEW.phase, NEW.checksum, NEW.version, NEW.author,
    NEW.applied_at, NEW.seconds
)
BEGIN
    SELECT raise(ABORT, 'What was applied to a database is never changed.');
END;

CREATE TRIGGER migrations_are_kept BEFORE DELETE ON migrations
BEGIN
    SELECT raise(ABORT, 'What was applied to a database is never deleted.');
END;

CREATE VIEW migration_log AS
SELECT service, printf('%04d_%s.%s', number, name, phase) AS migration, version, author,
    strftime('%Y-%m-%dT%H:%M:%fZ', applied_at, 'unixepoch') AS applied_at, seconds, checksum, lost
FROM migrations ORDER BY service, id;
