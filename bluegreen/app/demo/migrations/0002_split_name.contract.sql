-- First what only looks, and lets everybody write meanwhile; the strong lock comes last, for an instant.
ALTER TABLE people VALIDATE CONSTRAINT people_first_name;
DROP TRIGGER people_names ON people;
DROP FUNCTION people_names();
ALTER TABLE people DROP COLUMN name;
