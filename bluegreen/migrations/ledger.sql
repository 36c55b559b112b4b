-- What bluegreen knows of this database. All but the snapshot is written in the transaction that it tells of.

CREATE TABLE IF NOT EXISTS bluegreen.migrations (
    service text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    phase text NOT NULL CHECK (phase IN ('expand', 'backfill', 'contract')),
    checksum text NOT NULL, -- SHA-256 of the file
    version text NOT NULL,  -- of the service, in whose directory it stood
    author text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seconds double precision NOT NULL,
    PRIMARY KEY (service, number, phase)
);

-- How far a backfill is.
CREATE TABLE IF NOT EXISTS bluegreen.backfills (
    service text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    last_key text, -- of the last batch, as the key's type writes it; NULL: none is done
    rows_done bigint NOT NULL DEFAULT 0,
    rows_total bigint NOT NULL, -- an estimate
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (service, number)
);

-- Statements that cannot run in a transaction: begun, and not yet in `migrations`.
CREATE TABLE IF NOT EXISTS bluegreen.attempts (
    service text NOT NULL,
    number integer NOT NULL,
    phase text NOT NULL,
    checksum text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (service, number, phase)
);

-- The schema as the last migration left it: taken right behind it, and gone in between.
CREATE TABLE IF NOT EXISTS bluegreen.schema_snapshot (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    objects jsonb NOT NULL
);
