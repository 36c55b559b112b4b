-- What one would write who forgets that the old version still runs.
ALTER TABLE people
    ADD COLUMN first_name text,
    ADD COLUMN last_name text;
UPDATE people SET first_name = split_part(name, ' ', 1), last_name = substring(name FROM ' (.*)$');
ALTER TABLE people DROP COLUMN name;
