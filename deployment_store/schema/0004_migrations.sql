-- Changes of the databases that the services share: runs of their phases, and what is applied.
-- JSON columns: findings, backfills_left, contracts_left.

-- A deployment may begin as `expanding`. A CHECK cannot be changed: the table is made anew, and with it what
-- refers to it by name (https://sqlite.org/lang_altertable.html).
DROP VIEW deployment_log;
DROP TRIGGER services_in_use_are_kept;

CREATE TABLE new_deployments (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services (name),
    revision INTEGER NOT NULL CHECK (revision > 0),
    version TEXT NOT NULL CHECK (version <> ''),
    environment TEXT NOT NULL CHECK (environment IN ('blue', 'green')),
    status TEXT NOT NULL CHECK (status IN (
        'expanding', 'deploying', 'ready', 'shifting', 'active', 'draining', 'standby', 'retired', 'failed'
    )),
    endpoints TEXT NOT NULL CHECK (json_valid(endpoints)),
    upstream TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(upstream)),
    health_check TEXT NOT NULL DEFAULT 'null' CHECK (json_valid(health_check)),
    deployed_at REAL NOT NULL,
    status_since REAL NOT NULL,
    activated_at REAL,
    prepared_at REAL,
    deadline_at REAL,
    withdrawn_at REAL,
    released_at REAL,
    note TEXT NOT NULL DEFAULT '',
    provisioning TEXT NOT NULL DEFAULT 'null' CHECK (json_valid(provisioning)),
    full_capacity INTEGER NOT NULL DEFAULT 0 CHECK (full_capacity >= 0),
    capacity INTEGER NOT NULL DEFAULT 0 CHECK (capacity >= 0),
    instances TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(instances)),
    leaving TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(leaving)),
    leaving_since REAL,
    gone TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(gone)),
    stopped_at REAL,
    UNIQUE (service, revision)
) STRICT;

INSERT INTO new_deployments (
    id, service, revision, version, environment, status, endpoints, upstream, health_check, deployed_at,
    status_since, activated_at, prepared_at, deadline_at, withdrawn_at, released_at, note, provisioning,
    full_capacity, capacity, instances, leaving, leaving_since, gone, stopped_at
)
SELECT id, service, revision, version, environment, status, endpoints, upstream, health_check, deployed_at,
    status_since, activated_at, prepared_at, deadline_at, withdrawn_at, released_at, note, provisioning,
    full_capacity, capacity, instances, leaving, leaving_since, gone, stopped_at
FROM deployments;

DROP TABLE deployments;
ALTER TABLE new_deployments RENAME TO deployments;

CREATE UNIQUE INDEX one_open_deployment_per_environment ON deployments (service, environment)
WHERE status NOT IN ('retired', 'failed');

CREATE UNIQUE INDEX one_active_deployment_per_service ON deployments (service)
WHERE status = 'active';

CREATE TRIGGER deployments_stay_what_they_are BEFORE UPDATE ON deployments
WHEN (OLD.service, OLD.revision, OLD.version, OLD.environment)
    <> (NEW.service, NEW.revision, NEW.version, NEW.environment)
BEGIN
    SELECT raise(ABORT, 'The version and environment of a deployment are never changed.');
END;

CREATE TRIGGER deployments_that_are_over_stay_so BEFORE UPDATE ON deployments
WHEN OLD.status IN ('retired', 'failed') AND NEW.status <> OLD.status
BEGIN
    SELECT raise(ABORT, 'A deployment that is retired or failed stays so.');
END;

CREATE TRIGGER deployments_are_kept BEFORE DELETE ON deployments
BEGIN
    SELECT raise(ABORT, 'Deployments are never deleted.');
END;

CREATE TRIGGER services_in_use_are_kept BEFORE UPDATE OF removed ON services
WHEN NEW.removed = 1 AND EXISTS (
    SELECT 1 FROM deployments WHERE service = OLD.name AND status NOT IN ('retired', 'failed')
)
BEGIN
    SELECT raise(ABORT, 'The service has an open deployment.');
END;

CREATE VIEW deployment_log AS
SELECT service, revision, version, environment, status,
    strftime('%Y-%m-%dT%H:%M:%fZ', deployed_at, 'unixepoch') AS deployed_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', status_since, 'unixepoch') AS status_since,
    strftime('%Y-%m-%dT%H:%M:%fZ', activated_at, 'unixepoch') AS activated_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', released_at, 'unixepoch') AS released_at,
    note
FROM deployments ORDER BY service, revision;

CREATE TABLE migration_runs (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services (name),
    number INTEGER NOT NULL CHECK (number > 0),
    version TEXT NOT NULL CHECK (version <> ''),
    phase TEXT NOT NULL CHECK (phase IN ('expand', 'backfill', 'contract')),
    wanted_at REAL NOT NULL,
    author TEXT NOT NULL,
    deployment INTEGER, -- revision
    accept_drift INTEGER NOT NULL DEFAULT 0 CHECK (accept_drift IN (0, 1)),
    begun_at REAL,
    verdict TEXT CHECK (verdict IN ('pass', 'inconclusive', 'error', 'fail')),
    finished_at REAL,
    summary TEXT NOT NULL DEFAULT '',
    findings TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(findings)),
    backfills_left TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(backfills_left)),
    contracts_left TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(contracts_left)),
    UNIQUE (service, number),
    FOREIGN KEY (service, deployment) REFERENCES deployments (service, revision),
    CONSTRAINT finished_with_a_verdict CHECK ((verdict IS NULL) = (finished_at IS NULL))
) STRICT;

CREATE UNIQUE INDEX one_open_migration_run_per_service ON migration_runs (service)
WHERE verdict IS NULL;

CREATE TRIGGER migration_runs_that_are_over_stay_so BEFORE UPDATE ON migration_runs
WHEN OLD.verdict IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'A run of migrations that is over stays as it is.');
END;

CREATE TRIGGER migration_runs_are_kept BEFORE DELETE ON migration_runs
BEGIN
    SELECT raise(ABORT, 'Runs of migrations are never deleted.');
END;

-- The ledger, as the service's database has it too.
CREATE TABLE migrations (
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
    UNIQUE (service, number, phase)
) STRICT;

CREATE TRIGGER migrations_are_not_changed BEFORE UPDATE ON migrations
BEGIN
    SELECT raise(ABORT, 'What was applied to a database is never changed.');
END;

CREATE TRIGGER migrations_are_kept BEFORE DELETE ON migrations
BEGIN
    SELECT raise(ABORT, 'What was applied to a database is never deleted.');
END;

-- The run that a command asked for, by its number.
ALTER TABLE commands ADD COLUMN migration INTEGER;

CREATE VIEW migration_log AS
SELECT service, printf('%04d_%s.%s', number, name, phase) AS migration, version, author,
    strftime('%Y-%m-%dT%H:%M:%fZ', applied_at, 'unixepoch') AS applied_at, seconds, checksum
FROM migrations ORDER BY service, id;

CREATE VIEW migration_run_log AS
SELECT service, number, version, phase, deployment, coalesce(verdict, 'open') AS verdict, summary, author,
    strftime('%Y-%m-%dT%H:%M:%fZ', wanted_at, 'unixepoch') AS wanted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', begun_at, 'unixepoch') AS begun_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at, 'unixepoch') AS finished_at
FROM migration_runs ORDER BY service, number;
