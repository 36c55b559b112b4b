-- Gates that were asked, and what they said. JSON column: findings.

CREATE TABLE checks (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL REFERENCES services (name),
    number INTEGER NOT NULL CHECK (number > 0),
    kind TEXT NOT NULL CHECK (kind IN ('tests', 'tests-of-active', 'hooks', 'analysis', 'approval')),
    deployment INTEGER NOT NULL, -- revision
    wanted_at REAL NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    rollout INTEGER, -- number
    step INTEGER,
    verdict TEXT CHECK (verdict IN ('pass', 'inconclusive', 'error', 'fail')),
    finished_at REAL,
    summary TEXT NOT NULL DEFAULT '',
    findings TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(findings)),
    UNIQUE (service, number),
    FOREIGN KEY (service, deployment) REFERENCES deployments (service, revision),
    CONSTRAINT finished_with_a_verdict CHECK ((verdict IS NULL) = (finished_at IS NULL))
) STRICT;

CREATE INDEX checks_by_deployment ON checks (service, deployment);

CREATE TRIGGER checks_that_are_over_stay_so BEFORE UPDATE ON checks
WHEN OLD.verdict IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'A verdict stays as it is.');
END;

-- When the present step began to be watched, and when the first bad answer of a rollout was reported.
ALTER TABLE rollouts ADD COLUMN watched_since REAL NOT NULL DEFAULT 0;
ALTER TABLE rollouts ADD COLUMN first_bad_at REAL;

CREATE VIEW check_log AS
SELECT service, number, kind, subject, deployment, rollout, step, coalesce(verdict, 'open') AS verdict, summary,
    strftime('%Y-%m-%dT%H:%M:%fZ', wanted_at, 'unixepoch') AS wanted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at, 'unixepoch') AS finished_at
FROM checks ORDER BY service, number;
