-- bluegreen: table=people key=id
-- The trigger splits a name that was never split, by the same rule as one that is written now.
UPDATE people
SET name = name
WHERE id > :after AND id <= :upto AND first_name IS NULL;
