-- The new version reads and writes first_name and last_name, the old one name. The trigger gives each what
-- the other one writes: before the backfill, during it, and after a rollback too.
ALTER TABLE people
    ADD COLUMN first_name text,
    ADD COLUMN last_name text,
    ADD CONSTRAINT people_first_name CHECK (first_name IS NOT NULL) NOT VALID;

-- It changes the row that is about to be written, and writes none itself: it cannot call itself.
-- A name is split at its first space. One without a space has no last name: NULL, and not '', so that both
-- halves together are always the name that was split, to the letter.
CREATE FUNCTION people_names() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    writes_halves boolean;
    writes_name boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        writes_halves := NEW.first_name IS NOT NULL;
        writes_name := NOT writes_halves;
    ELSE
        writes_halves := (NEW.first_name, NEW.last_name) IS DISTINCT FROM (OLD.first_name, OLD.last_name);
        -- One that was never split is split by any write: that is all that the backfill does.
        writes_name := NEW.name IS DISTINCT FROM OLD.name OR NEW.first_name IS NULL;
    END IF;

    IF writes_halves THEN
        NEW.name := NEW.first_name || coalesce(' ' || NEW.last_name, '');
    ELSIF writes_name THEN
        NEW.first_name := split_part(NEW.name, ' ', 1);
        NEW.last_name := substring(NEW.name FROM ' (.*)$');
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER people_names BEFORE INSERT OR UPDATE ON people
    FOR EACH ROW EXECUTE FUNCTION people_names();
