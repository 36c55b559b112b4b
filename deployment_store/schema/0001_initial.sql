-- Times are seconds since the epoch; the views at the end show them as text. JSON columns: spec, endpoints, steps.

PRAGMA application_id = 0x626c6772; -- "blgr"

CREATE TABLE services (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    -- Grows with every change of anything that belongs to the service.
    revision INTEGER NOT NULL DEFAULT 0 CHECK (revision >= 0),
    -- A removed service keeps its row, so that its history stays and its deployments never share a number.
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))
) STRICT;

CREATE TABLE gateways (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    spec TEXT NOT NULL CHECK (json_valid(spec))
) STRICT;

CREATE TABLE service_gateways (
    service TEXT NOT NULL REFERENCES services (name),
    gateway TEXT NOT NULL REFERENCES gateways (name),
    PRIMARY KEY (service, gateway)
) STRICT, WITHOUT ROWID;

CREATE TABLE deployments (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services (name),
    revision INTEGER NOT NULL CHECK (revision > 0),
    version TEXT NOT NULL CHECK (version <> ''),
    environment TEXT NOT NULL CHECK (environment IN ('blue', 'green')),
    status TEXT NOT NULL CHECK (
        status IN ('deploying', 'ready', 'shifting', 'active', 'draining', 'standby', 'retired', 'failed')
    ),
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
    UNIQUE (service, revision)
) STRICT;

CREATE UNIQUE INDEX one_open_deployment_per_environment ON deployments (service, environment)
WHERE status NOT IN ('retired', 'failed');

CREATE UNIQUE INDEX one_active_deployment_per_service ON deployments (service)
WHERE status = 'active';

CREATE TABLE traffic_rules (
    service TEXT PRIMARY KEY REFERENCES services (name),
    active_environment TEXT CHECK (active_environment IN ('blue', 'green')),
    cutover_percent INTEGER NOT NULL DEFAULT 0 CHECK (cutover_percent BETWEEN 0 AND 100)
) STRICT;

CREATE TABLE rollouts (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services (name),
    number INTEGER NOT NULL CHECK (number > 0),
    kind TEXT NOT NULL CHECK (kind IN ('promote', 'rollback')),
    candidate INTEGER NOT NULL,
    previous INTEGER,
    steps TEXT NOT NULL CHECK (json_valid(steps)),
    started_at REAL NOT NULL,
    step INTEGER NOT NULL CHECK (step >= -1),
    percent INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 100),
    set_at REAL NOT NULL,
    acknowledged_at REAL,
    paused TEXT,
    turning_back TEXT,
    outcome TEXT CHECK (outcome IN ('completed', 'aborted', 'failed')),
    finished_at REAL,
    seconds_to_last_ack REAL,
    skew REAL,
    UNIQUE (service, number),
    FOREIGN KEY (service, candidate) REFERENCES deployments (service, revision),
    FOREIGN KEY (service, previous) REFERENCES deployments (service, revision),
    CONSTRAINT finished_with_an_outcome CHECK ((outcome IS NULL) = (finished_at IS NULL))
) STRICT;

CREATE UNIQUE INDEX one_open_rollout_per_service ON rollouts (service)
WHERE finished_at IS NULL;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice, so that a reader can go on after the last one
    at REAL NOT NULL,
    service TEXT NOT NULL, -- empty for what concerns no single service
    what TEXT NOT NULL CHECK (what <> ''),
    before TEXT NOT NULL DEFAULT '',
    after TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL,
    deployment INTEGER, -- revision
    rollout INTEGER, -- number
    traffic_before TEXT NOT NULL DEFAULT '', -- such as "blue 90, green 10"
    traffic_after TEXT NOT NULL DEFAULT '',
    snapshot TEXT NOT NULL DEFAULT '' -- version of what the proxies are told from then on
) STRICT;

CREATE INDEX events_by_service ON events (service, id);

-- One row: the events from before this moment may be deleted, and no others.
CREATE TABLE retention (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    events_before REAL NOT NULL
) STRICT;

INSERT INTO retention VALUES (1, 0);

-- Commands by the key that their sender gave them, so that one that is sent twice acts once.
CREATE TABLE commands (
    key TEXT PRIMARY KEY CHECK (key <> ''),
    service TEXT NOT NULL REFERENCES services (name),
    at REAL NOT NULL,
    message TEXT NOT NULL,
    deployment INTEGER, -- revision
    rollout INTEGER -- number
) STRICT, WITHOUT ROWID;

CREATE TABLE proxies (
    id TEXT PRIMARY KEY CHECK (id <> ''),
    gateway TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL
) STRICT;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'Events are never changed.');
END;

CREATE TRIGGER events_are_kept BEFORE DELETE ON events
WHEN OLD.at >= (SELECT events_before FROM retention)
BEGIN
    SELECT raise(ABORT, 'Events are deleted only when they are older than retention.events_before.');
END;

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

CREATE TRIGGER rollouts_that_are_over_stay_so BEFORE UPDATE ON rollouts
WHEN OLD.finished_at IS NOT NULL
    AND (NEW.finished_at IS NOT OLD.finished_at OR NEW.outcome IS NOT OLD.outcome)
BEGIN
    SELECT raise(ABORT, 'A finished rollout stays as it is.');
END;

CREATE TRIGGER services_in_use_are_kept BEFORE UPDATE OF removed ON services
WHEN NEW.removed = 1 AND EXISTS (
    SELECT 1 FROM deployments WHERE service = OLD.name AND status NOT IN ('retired', 'failed')
)
BEGIN
    SELECT raise(ABORT, 'The service has an open deployment.');
END;

CREATE VIEW event_log AS
SELECT id, strftime('%Y-%m-%dT%H:%M:%fZ', at, 'unixepoch') AS at, service, what, before, after, actor, reason,
    message, deployment, rollout
FROM events ORDER BY id;

CREATE VIEW deployment_log AS
SELECT service, revision, version, environment, status,
    strftime('%Y-%m-%dT%H:%M:%fZ', deployed_at, 'unixepoch') AS deployed_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', status_since, 'unixepoch') AS status_since,
    strftime('%Y-%m-%dT%H:%M:%fZ', activated_at, 'unixepoch') AS activated_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', released_at, 'unixepoch') AS released_at,
    note
FROM deployments ORDER BY service, revision;

CREATE VIEW rollout_log AS
SELECT service, number, kind, candidate, previous, percent, coalesce(outcome, 'open') AS outcome,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_at, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at, 'unixepoch') AS finished_at,
    seconds_to_last_ack, skew, paused, turning_back
FROM rollouts ORDER BY service, number;
