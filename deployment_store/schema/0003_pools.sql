-- Instances that are provided for a deployment. JSON columns: provisioning, instances, leaving, gone.

ALTER TABLE deployments ADD COLUMN provisioning TEXT NOT NULL DEFAULT 'null' CHECK (json_valid(provisioning));
ALTER TABLE deployments ADD COLUMN full_capacity INTEGER NOT NULL DEFAULT 0 CHECK (full_capacity >= 0);
ALTER TABLE deployments ADD COLUMN capacity INTEGER NOT NULL DEFAULT 0 CHECK (capacity >= 0);
ALTER TABLE deployments ADD COLUMN instances TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(instances));
-- Ids of instances that get no new requests any more, and of those among them that may be stopped.
ALTER TABLE deployments ADD COLUMN leaving TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(leaving));
ALTER TABLE deployments ADD COLUMN leaving_since REAL;
ALTER TABLE deployments ADD COLUMN gone TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(gone));
ALTER TABLE deployments ADD COLUMN stopped_at REAL;
