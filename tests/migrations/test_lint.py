"""The lint, by the real Squawk: each rule has a file that goes against it, and one that does it safely."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bluegreen.migrations.lint.form_rules import FORM_RULES
from bluegreen.migrations.lint.judgement import MAXIMUM_FINDINGS
from bluegreen.migrations.lint.linter import Linter
from bluegreen.migrations.lint.rule import Ground, Rule, Weight
from bluegreen.migrations.lint.rules import ALL_RULES, find_rule
from bluegreen.migrations.lint.squawk import NoSquawk, Squawk, find_squawk
from bluegreen.migrations.lint.squawk_rules import squawk_rule
from bluegreen.model.migration import LintFinding, Phase
from bluegreen.subprocesses.command import CommandRunner

# One statement against each rule that is about statements.
AGAINST = {
    "ban-drop-column": "ALTER TABLE people DROP COLUMN name",
    "ban-drop-table": "DROP TABLE people",
    "ban-drop-view": "DROP MATERIALIZED VIEW totals",
    "ban-drop-function": "DROP FUNCTION full_name(text)",
    "ban-drop-type": "DROP TYPE mood",
    "ban-drop-domain": "DROP DOMAIN email",
    "ban-drop-schema": "DROP SCHEMA shop",
    "ban-drop-sequence": "DROP SEQUENCE numbers",
    "ban-drop-extension": "DROP EXTENSION citext",
    "ban-drop-index": "DROP INDEX people_name",
    "ban-drop-trigger": "DROP TRIGGER names ON people",
    "ban-drop-policy": "DROP POLICY own ON people",
    "ban-detach-inheritance": "ALTER TABLE people NO INHERIT beings",
    "ban-drop-database": "DROP DATABASE shop",
    "renaming-column": "ALTER TABLE people RENAME COLUMN name TO full_name",
    "renaming-table": "ALTER TABLE people RENAME TO persons",
    "renaming-object": "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
    "ban-set-schema": "ALTER TABLE people SET SCHEMA archive",
    "changing-column-type": "ALTER TABLE people ALTER COLUMN name TYPE varchar",
    "adding-required-field": "ALTER TABLE people ADD COLUMN born date NOT NULL",
    "ban-new-write-restriction": "ALTER TABLE people ADD CONSTRAINT named CHECK (name <> '') NOT VALID",
    "ban-drop-default": "ALTER TABLE people ALTER COLUMN name DROP DEFAULT",
    "ban-alter-identity": "ALTER TABLE people ALTER COLUMN id SET GENERATED ALWAYS",
    "ban-drop-generated-expression": "ALTER TABLE people ALTER COLUMN initial DROP EXPRESSION",
    "ban-alter-generated-expression": "ALTER TABLE people ALTER COLUMN initial SET EXPRESSION AS (name)",
    "ban-disable-trigger": "ALTER TABLE people DISABLE TRIGGER names",
    "ban-replica-identity": "ALTER TABLE people REPLICA IDENTITY NOTHING",
    "ban-alter-sequence-values": "ALTER SEQUENCE numbers RESTART",
    "ban-add-composite-attribute": "ALTER TYPE address ADD ATTRIBUTE floor text",
    "ban-revoke": "REVOKE SELECT ON people FROM shop",
    "ban-alter-policy-condition": "ALTER POLICY own ON people USING (false)",
    "ban-alter-policy-roles": "ALTER POLICY own ON people TO shop",
    "ban-alter-row-level-security": "ALTER TABLE people ENABLE ROW LEVEL SECURITY",
    "ban-create-policy": "CREATE POLICY own ON people USING (true)",
    "ban-replace-view-function": "CREATE OR REPLACE VIEW names AS SELECT 1 AS name",
    "ban-alter-function-options": "ALTER FUNCTION full_name(text) SECURITY DEFINER",
    "ban-alter-view-options": "ALTER VIEW names SET (security_barrier)",
    "ban-alter-role-options": "ALTER ROLE shop NOLOGIN",
    "ban-alter-database-options": "ALTER DATABASE shop SET work_mem = '1MB'",
    "ban-alter-system-options": "ALTER SYSTEM SET work_mem = '1MB'",
    "ban-alter-extension": "ALTER EXTENSION citext UPDATE",
    "ban-drop-not-null": "ALTER TABLE people ALTER COLUMN name DROP NOT NULL",
    "ban-drop-constraint": "ALTER TABLE people DROP CONSTRAINT named",
    "ban-set-default": "ALTER TABLE people ALTER COLUMN name SET DEFAULT ''",
    "ban-add-enum-value": "ALTER TYPE mood ADD VALUE 'angry'",
    "ban-truncate-cascade": "TRUNCATE people CASCADE",
    "require-concurrent-index-creation": "CREATE INDEX people_name ON people (name)",
    "require-concurrent-index-deletion": "DROP INDEX people_name",
    "require-concurrent-reindex": "REINDEX TABLE people",
    "require-concurrent-partition-detach": "ALTER TABLE people DETACH PARTITION people_1",
    "constraint-missing-not-valid": "ALTER TABLE people ADD CONSTRAINT named CHECK (name <> '')",
    "adding-foreign-key-constraint": "ALTER TABLE people ADD FOREIGN KEY (team) REFERENCES teams (id)",
    "adding-not-nullable-field": "ALTER TABLE people ALTER COLUMN name SET NOT NULL",
    "adding-field-with-default": "ALTER TABLE people ADD COLUMN key uuid DEFAULT gen_random_uuid()",
    "adding-serial-primary-key-field": "ALTER TABLE people ADD PRIMARY KEY (id)",
    "disallowed-unique-constraint": "ALTER TABLE people ADD CONSTRAINT one UNIQUE (name)",
    "ban-alter-domain-with-add-constraint": "ALTER DOMAIN email ADD CONSTRAINT at CHECK (value LIKE '%@%')",
    "ban-duplicate-column-assignments": "UPDATE people SET name = '', name = ''",
    "ban-create-domain-with-constraint": "CREATE DOMAIN email AS text CHECK (value LIKE '%@%')",
    "ban-char-field": "CREATE TABLE codes (code char(3))",
    "prefer-text-field": "CREATE TABLE codes (code varchar(3))",
    "prefer-bigint-over-int": "CREATE TABLE codes (code int)",
    "prefer-bigint-over-smallint": "CREATE TABLE codes (code smallint)",
    "prefer-identity": "CREATE TABLE codes (code bigserial)",
    "prefer-timestamp-tz": "CREATE TABLE codes (at timestamp)",
    "identifier-too-long": f"CREATE TABLE {'x' * 64} (a bigint)",
    "unbatched-write": "UPDATE people SET name = upper(name)",
    "lock-table": "LOCK TABLE people",
    "truncate": "TRUNCATE people",
    "refresh-not-concurrent": "REFRESH MATERIALIZED VIEW totals",
    "adding-checked-column": "ALTER TABLE people ADD COLUMN age numeric(9, 2) CONSTRAINT old CHECK (age > 0)",
    "reindex-not-concurrent": "REINDEX (CONCURRENTLY off) INDEX people_name",
    "table-rewrite": "ALTER TABLE people SET TABLESPACE fast",
    "adding-counted-column": "ALTER TABLE people ADD COLUMN number bigserial",
    "hidden-code": "DO $$ BEGIN DROP TABLE people; END $$",
    "query": "SELECT setval('numbers', 1)",
    "session-setting": "SET lock_timeout = 0",
    "rewrite-rule": "CREATE RULE deaf AS ON DELETE TO people DO INSTEAD NOTHING",
    "new-trigger": "CREATE TRIGGER names BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION split_name()",
    "drop-other": "DROP SUBSCRIPTION shop",
    "attach-partition": "ALTER TABLE people ATTACH PARTITION people_1 DEFAULT",
    "ledger-schema": "DELETE FROM bluegreen.migrations",
    "checking-domain": "ALTER DOMAIN email SET NOT NULL",
    "enforcing-constraint": "ALTER TABLE people ALTER CONSTRAINT team ENFORCED",
    "key-using-index": "ALTER TABLE people ADD CONSTRAINT people_pkey PRIMARY KEY USING INDEX one",
    "publish-tables": "CREATE PUBLICATION changes FOR TABLE people",
    "publish-all-tables": "CREATE PUBLICATION changes FOR ALL TABLES",
    "implicit-cast": "CREATE CAST (bigint AS text) WITH INOUT AS IMPLICIT",
    "new-operator": "CREATE OPERATOR || (LEFTARG = bigint, RIGHTARG = text, FUNCTION = joined)",
    "restrictive-policy": "CREATE POLICY own ON people AS RESTRICTIVE USING (name = current_user)",
    "alter-other": "ALTER TEXT SEARCH CONFIGURATION german ALTER MAPPING FOR word WITH simple",
    "inherit": "ALTER TABLE people_1 INHERIT people",
    "syntax-error": "ALTER TABEL people",
}

SAFE = {
    Phase.EXPAND: [
        "CREATE TABLE teams (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE)",
        "ALTER TABLE people ADD COLUMN first_name text, ADD COLUMN last_name text",
        "ALTER TABLE people ADD COLUMN active boolean NOT NULL DEFAULT true",
        "ALTER TABLE people ADD COLUMN rank bigint, ADD CHECK (rank > 0) NOT VALID",
        "ALTER TABLE people ADD COLUMN initial text GENERATED ALWAYS AS (left(name, 1)) VIRTUAL",
        "ALTER TABLE people ADD COLUMN rank bigint; ALTER TABLE people ADD CHECK (rank > 0) NOT VALID",
        "ALTER TABLE people VALIDATE CONSTRAINT named",
        "CREATE INDEX CONCURRENTLY people_name ON people (name)",
        "CREATE VIEW names AS SELECT name FROM people",
        "CREATE FUNCTION one() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE FUNCTION all_of() RETURNS void LANGUAGE sql AS 'UPDATE people SET name = NULL; DROP TABLE x'",
        "CREATE TABLE codes (code text); INSERT INTO codes SELECT name FROM people; DELETE FROM codes",
        "CREATE TABLE codes (code text); CREATE UNIQUE INDEX one ON codes (code); TRUNCATE codes",
        "CREATE TABLE codes (code text); ALTER TABLE codes ADD a text NOT NULL, ADD PRIMARY KEY (a)",
        "CREATE TABLE codes (code text); ALTER TABLE codes ALTER COLUMN code SET NOT NULL, ADD UNIQUE (code)",
        "CREATE MATERIALIZED VIEW totals AS SELECT 1; REFRESH MATERIALIZED VIEW totals",
        "CREATE MATERIALIZED VIEW totals AS SELECT 1; CREATE UNIQUE INDEX one ON totals (x)",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
        "INSERT INTO people (name) VALUES ('Ada')",
        "SET LOCAL work_mem = '1GB'; GRANT SELECT ON people TO shop; COMMENT ON TABLE people IS 'DROP x'",
        "CREATE TYPE mood AS ENUM ('sad'); CREATE SEQUENCE numbers; CREATE SCHEMA shop; CREATE EXTENSION a",
        "CREATE STATISTICS s ON a, b FROM people; ALTER TABLE people ALTER COLUMN name SET STATISTICS 100",
        "ALTER TABLE people ADD COLUMN rank bigint NOT NULL DEFAULT -1",
        "ALTER TABLE people ADD COLUMN at timestamptz NOT NULL DEFAULT (pg_catalog.now() + interval '1 day')",
        "ALTER TABLE people ADD COLUMN born date DEFAULT current_date",
        "ALTER TABLE people ADD COLUMN initial text GENERATED ALWAYS AS (left(name, 1))",
        "ALTER TABLE people ADD CONSTRAINT named CHECK (name <> '') NOT ENFORCED",
        "ALTER TABLE people ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY",
        "ALTER TABLE people REPLICA IDENTITY FULL; CREATE PUBLICATION changes",
        "ALTER SEQUENCE numbers AS bigint NO MAXVALUE CACHE 20; ALTER INDEX people_name RENAME TO by_name",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM public",
        "ALTER TABLE people SET (fillfactor = 70)",
        "CREATE TABLE a (b text); ALTER TABLE a ENABLE ROW LEVEL SECURITY, OWNER TO shop; "
        "CREATE POLICY own ON a AS RESTRICTIVE USING (true); REVOKE ALL ON a FROM public",
        "CREATE TABLE a (b text); ALTER TABLE a RENAME b TO c; CREATE RULE r AS ON UPDATE TO a DO NOTHING",
        "CREATE FUNCTION f(a text, INOUT b numeric DEFAULT 1.5) LANGUAGE sql SET search_path = '' AS ''; "
        "REVOKE ALL ON FUNCTION f(text, numeric) FROM public; ALTER FUNCTION f OWNER TO shop",
        "CREATE VIEW v AS SELECT 1; ALTER VIEW v SET (security_invoker); REVOKE ALL ON v FROM public",
        "CREATE TYPE mood AS ENUM ('sad'); CREATE CAST (mood AS text) WITH INOUT AS IMPLICIT",
        "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple); "
        "ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR word WITH simple",
    ],
    Phase.CONTRACT: [
        "ALTER TABLE people DROP COLUMN name",
        "DROP TABLE people; DROP VIEW names; DROP FUNCTION one(); DROP TRIGGER t ON people; DROP TYPE mood",
        "DROP INDEX CONCURRENTLY people_name",
        "ALTER TABLE people DETACH PARTITION people_1 CONCURRENTLY",
        "ALTER TABLE people ADD CONSTRAINT named CHECK (name IS NOT NULL) NOT VALID",
        "ALTER TABLE people VALIDATE CONSTRAINT named; ALTER TABLE people ALTER COLUMN name SET NOT NULL; "
        "ALTER TABLE people DROP CONSTRAINT named",
        "CREATE UNIQUE INDEX CONCURRENTLY one ON people (name)",
        "ALTER TABLE people ADD CONSTRAINT one UNIQUE USING INDEX one",
        "ALTER TABLE people ADD FOREIGN KEY (team) REFERENCES teams (id) NOT VALID",
    ],
}


@pytest.fixture
def linter() -> Linter:
    return Linter(Squawk(CommandRunner()))


async def findings_in(linter: Linter, path: Path, files: Mapping[str, str]) -> tuple[LintFinding, ...]:
    for name, text in files.items():
        (path / name).write_text(text, newline="")
    return (await linter.lint_directory(path)).findings


async def about(linter: Linter, path: Path, sql: str, phase: Phase = Phase.EXPAND) -> dict[str, LintFinding]:
    """The findings in one file, by rule."""
    return {each.rule: each for each in await findings_in(linter, path, {f"0001_change.{phase}.sql": sql})}


def rule(name: str) -> Rule:
    found = find_rule(name)
    assert found is not None
    return found


# --- every rule ---


def test_every_rule_has_a_file_that_goes_against_it() -> None:
    looked_for = {each.name for each in ALL_RULES if {each.expand, each.contract} != {Weight.PASSED}}
    assert set(AGAINST) == looked_for - {each.name for each in FORM_RULES} | {"syntax-error"}


@pytest.mark.parametrize("name", AGAINST)
async def test_a_file_against_a_rule_is_found_in_expand(linter: Linter, tmp_path: Path, name: str) -> None:
    found = await about(linter, tmp_path, f"-- what for\n{AGAINST[name]};\n")
    finding = found[name]
    assert finding.refused is (rule(name).weight(Phase.EXPAND) is Weight.REFUSED)
    assert finding.line == 2
    assert finding.reason.startswith(rule(name).reason.rstrip("."))
    assert finding.safe_way == rule(name).safe_way


@pytest.mark.parametrize("name", AGAINST)
async def test_what_contract_makes_of_it(linter: Linter, tmp_path: Path, name: str) -> None:
    found = await about(linter, tmp_path, AGAINST[name], Phase.CONTRACT)
    weight = rule(name).weight(Phase.CONTRACT)
    assert (name in found) is (weight is not Weight.PASSED)
    if name in found:
        assert found[name].refused is (weight is Weight.REFUSED)


@pytest.mark.parametrize(("phase", "sql"), [(phase, sql) for phase in SAFE for sql in SAFE[phase]])
async def test_what_is_safe_is_not_refused(linter: Linter, tmp_path: Path, phase: Phase, sql: str) -> None:
    assert [each for each in (await about(linter, tmp_path, sql, phase)).values() if each.refused] == []


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("unbatched-write", "DELETE FROM people"),
        ("unbatched-write", "INSERT INTO people (name) SELECT name FROM persons"),
        ("unbatched-write", "MERGE INTO people USING p ON p.id = people.id WHEN MATCHED THEN DELETE"),
        ("unbatched-write", "WITH old AS (DELETE FROM people RETURNING *) SELECT * FROM old"),
        ("unbatched-write", "EXPLAIN ANALYZE DELETE FROM people"),
        ("unbatched-write", "COPY people FROM PROGRAM 'cat'"),
        ("unbatched-write", "CREATE TABLE IF NOT EXISTS people (id bigint); DELETE FROM people"),
        ("unbatched-write", 'CREATE TABLE people (id bigint); DELETE FROM "People"'),
        ("require-concurrent-index-creation", "CREATE TABLE IF NOT EXISTS a (b text); CREATE INDEX ON a (b)"),
        (
            "require-concurrent-index-creation",
            'CREATE TABLE IF NOT EXISTS "_"(b text); CREATE INDEX ON "_" (b)',
        ),
        (
            "require-concurrent-index-creation",
            "CREATE TABLE IF NOT EXISTS s.a (b text); CREATE INDEX ON s.a (b)",
        ),
        (
            "require-concurrent-index-creation",
            "CREATE INDEX ON people (id); CREATE TABLE IF NOT EXISTS people ()",
        ),
        ("require-concurrent-index-creation", "CREATE TABLE a.people (); CREATE INDEX ON people (name)"),
        ("adding-required-field", "CREATE TABLE IF NOT EXISTS a (b text); ALTER TABLE a ADD c text NOT NULL"),
        ("unbatched-write", 'WITH "a\nb" AS (SELECT 1) DELETE FROM people'),
        ("table-rewrite", 'ALTER TABLE "odd ""name""\n" SET UNLOGGED'),
        ("hidden-code", "CALL change_everything()"),
        ("hidden-code", "PREPARE p AS DELETE FROM people; EXECUTE p"),
        ("session-setting", "SET ROLE admin"),
        ("session-setting", "SET LOCAL statement_timeout = 0"),
        ("session-setting", "SET search_path = shop"),
        ("session-setting", "RESET ALL"),
        ("ledger-schema", 'CREATE TABLE "bluegreen" . x (id bigint)'),
        ("ledger-schema", "DROP SCHEMA IF EXISTS bluegreen CASCADE"),
        ("ledger-schema", "SET LOCAL search_path = bluegreen"),
        ("table-rewrite", "VACUUM (FULL) people"),
        ("table-rewrite", "CLUSTER people USING people_pkey"),
        ("table-rewrite", "ALTER TABLE people ADD COLUMN a text, SET UNLOGGED"),
        ("adding-counted-column", "ALTER TABLE people ADD a text, ADD n bigint GENERATED ALWAYS AS IDENTITY"),
        ("truncate", "CREATE TABLE a (id bigint); TRUNCATE a, people"),
        ("lock-table", "CREATE TABLE a (id bigint); LOCK TABLE a, people IN SHARE MODE"),
        ("adding-field-with-default", "ALTER TABLE people ADD i text GENERATED ALWAYS AS (name) STORED"),
        (
            "adding-foreign-key-constraint",
            "ALTER TABLE people ADD team bigint DEFAULT 1 REFERENCES teams (id)",
        ),
        ("disallowed-unique-constraint", "ALTER TABLE people ADD COLUMN slug text UNIQUE"),
        ("adding-serial-primary-key-field", "ALTER TABLE people ADD COLUMN slug text PRIMARY KEY"),
        ("unbatched-write", "(WITH old AS (DELETE FROM people RETURNING *) SELECT * FROM old)"),
        (
            "unbatched-write",
            "CREATE TABLE o AS WITH old AS (DELETE FROM people RETURNING *) SELECT * FROM old",
        ),
        ("reindex-not-concurrent", "REINDEX (CONCURRENTLY false) TABLE people"),
        ("reindex-not-concurrent", "REINDEX (VERBOSE, CONCURRENTLY 0) TABLE people"),
        ("session-setting", 'SET LOCAL "lock_timeout" = 0'),
        ("session-setting", 'SET LOCAL "Role" = admin'),
        ("drop-other", "DROP COLLATION german CASCADE"),
        ("adding-checked-column", "ALTER TABLE people ADD a numeric(9, 2), ADD b bigint CHECK (id > 0)"),
        ("ban-new-write-restriction", "ALTER TABLE people ADD a text, ADD CHECK (a IS NOT NULL) NOT VALID"),
        ("ban-new-write-restriction", "ALTER TABLE people ADD a text, ADD NOT NULL a NOT VALID"),
        ("rewrite-rule", "ALTER TABLE people DISABLE RULE deaf"),
        ("ban-new-write-restriction", "CREATE UNIQUE INDEX CONCURRENTLY one ON people (name)"),
        ("ban-new-write-restriction", "ALTER TABLE people ADD NOT NULL name NOT VALID"),
        ("ban-disable-trigger", "ALTER TABLE people DISABLE TRIGGER ALL"),
        ("ban-revoke", "ALTER TABLE people OWNER TO other"),
        ("renaming-column", "ALTER VIEW names RENAME COLUMN name TO full_name"),
        ("syntax-error", "SELECT 1;\nALTER TABLE people ADD COLUMN;"),
        ("checking-domain", "ALTER DOMAIN email VALIDATE CONSTRAINT at"),
        ("ban-new-write-restriction", "ALTER DOMAIN email ADD CONSTRAINT at CHECK (value <> '') NOT VALID"),
        ("publish-all-tables", "CREATE PUBLICATION p FOR TABLE people, TABLES IN SCHEMA shop"),
        ("publish-all-tables", "ALTER PUBLICATION p ADD TABLES IN SCHEMA shop"),
        ("alter-other", "ALTER SERVER old OPTIONS (SET host 'new')"),
        ("alter-other", "ALTER EVENT TRIGGER log DISABLE"),
        ("alter-other", "ALTER FOREIGN TABLE far OPTIONS (SET table_name 'other')"),
        ("hidden-code", "COPY people TO PROGRAM 'cat'"),
        ("adding-field-with-default", "ALTER TABLE people ADD a text DEFAULT lower(random()::text)"),
        ("adding-field-with-default", "ALTER TABLE people ADD a text DEFAULT shop.lower('A')"),
        ("adding-field-with-default", "ALTER TABLE people ADD a text DEFAULT \"lower\"('A')"),
        ("adding-field-with-default", "ALTER TABLE people ADD a text DEFAULT é('A')"),
        ("adding-field-with-default", "ALTER TABLE people ADD a bigint DEFAULT - nextval('numbers')"),
        ("ban-alter-identity", "ALTER TABLE people ALTER id ADD GENERATED ALWAYS AS IDENTITY"),
        ("ban-replica-identity", "ALTER TABLE people REPLICA IDENTITY DEFAULT"),
        ("ban-alter-sequence-values", "ALTER SEQUENCE numbers MAXVALUE 5"),
        ("ban-alter-sequence-values", "ALTER SEQUENCE numbers AS smallint"),
        ("ban-alter-row-level-security", "ALTER TABLE people FORCE ROW LEVEL SECURITY"),
        ("renaming-object", "ALTER TABLE people RENAME CONSTRAINT named TO called"),
        # What a file creates is free, and no more than that.
        ("ban-drop-table", "DROP TABLE people; CREATE TABLE people (id bigint)"),
        ("ban-drop-table", "CREATE TEMP TABLE people (id bigint); DROP TABLE people; DROP TABLE people"),
        ("ban-drop-table", "CREATE TABLE IF NOT EXISTS people (id bigint); DROP TABLE people"),
        ("ban-drop-table", "CREATE TABLE a (id bigint); DROP TABLE a, people"),
        ("ban-drop-table", "CREATE TABLE people (); SET LOCAL search_path = shop; DROP TABLE people"),
        ("unbatched-write", "CREATE TEMP TABLE people (id bigint); DROP TABLE people; DELETE FROM people"),
        ("renaming-table", "CREATE TABLE s.people (id bigint); ALTER TABLE people RENAME TO persons"),
        ("ban-revoke", "CREATE TABLE a (id bigint); REVOKE ALL ON a, people FROM public"),
        (
            "ban-revoke",
            "CREATE FUNCTION f(a date) RETURNS text AS 'SELECT 1'; REVOKE ALL ON FUNCTION f() FROM public",
        ),
        (
            "ban-drop-function",
            "CREATE FUNCTION f(a date) RETURNS text LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f(text)",
        ),
        (
            "ban-drop-function",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f(), g()",
        ),
        ("ban-drop-function", "CREATE OR REPLACE FUNCTION f() RETURNS text AS 'SELECT 1'; DROP FUNCTION f()"),
        ("ban-drop-view", "CREATE TYPE v AS (a bigint); DROP VIEW v"),
        (
            "ban-drop-trigger",
            "CREATE TRIGGER t BEFORE INSERT ON people EXECUTE FUNCTION f(); DROP TRIGGER t ON people",
        ),
    ],
)
async def test_other_ways_to_go_against_a_rule(linter: Linter, tmp_path: Path, name: str, sql: str) -> None:
    found = await about(linter, tmp_path, sql)
    assert found[name].refused


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("ban-alter-identity", "ALTER TABLE people ALTER id ADD GENERATED BY DEFAULT AS IDENTITY"),
        ("ban-replica-identity", "ALTER TABLE people REPLICA IDENTITY USING INDEX one"),
        ("renaming-object", "ALTER TRIGGER names ON people RENAME TO both_names"),
        ("new-operator", "CREATE CAST (text AS mood) WITH INOUT AS ASSIGNMENT"),
        ("publish-tables", "ALTER PUBLICATION changes ADD TABLE people"),
        ("attach-partition", "CREATE TABLE a (id bigint) PARTITION BY RANGE (id); "
         "ALTER TABLE a ATTACH PARTITION people DEFAULT"),
    ],
)  # fmt: skip
async def test_what_may_be_right_is_told(linter: Linter, tmp_path: Path, name: str, sql: str) -> None:
    assert not (await about(linter, tmp_path, sql))[name].refused


# --- what is new may be restricted ---


@pytest.mark.parametrize(
    "restriction",
    [
        "ALTER TABLE people ADD CONSTRAINT named CHECK (length(slug) < 80 AND slug <> 'x'::text) NOT VALID",
        "ALTER TABLE ONLY people ADD CONSTRAINT team FOREIGN KEY (slug) REFERENCES teams (id) NOT VALID",
    ],
)
async def test_a_new_column_may_be_restricted(linter: Linter, tmp_path: Path, restriction: str) -> None:
    added = "ALTER TABLE people ADD COLUMN IF NOT EXISTS slug text; "
    assert await about(linter, tmp_path, added + restriction) == {}
    assert (await about(linter, tmp_path, restriction))["ban-new-write-restriction"].refused
    with_values = added.replace("text", "text DEFAULT ''")
    assert (await about(linter, tmp_path, with_values + restriction))["ban-new-write-restriction"].refused
    mixed = restriction.replace("slug", "name = slug", 1).replace("(name = slug)", "(name, slug)")
    assert (await about(linter, tmp_path, added + mixed))["ban-new-write-restriction"].refused


async def test_it_may_be_demanded_where_a_trigger_gives_it(linter: Linter, tmp_path: Path) -> None:
    demanded = "ALTER TABLE people ADD slug text, ADD CHECK (slug IS NOT NULL) NOT VALID; "
    trigger = "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION give_slug()"
    assert set(await about(linter, tmp_path, demanded + trigger.format("people"))) == {"new-trigger"}
    of_others = demanded + trigger.format("animals")
    assert (await about(linter, tmp_path, of_others))["ban-new-write-restriction"].refused
    one_of_two = demanded.replace("NOT NULL", "NULL OR tag IS NOT NULL")
    assert await about(linter, tmp_path, one_of_two.replace("text,", "text, ADD tag text,")) == {}
    index = "ALTER TABLE people ADD slug text; CREATE TABLE people_2 (slug text NOT NULL)"
    assert await about(linter, tmp_path, index) == {}


async def test_one_that_another_file_adds_may_be_told_of(linter: Linter, tmp_path: Path) -> None:
    """An index that is built CONCURRENTLY stands in a file of its own; whether the column is new when it is
    applied is known when it is planned: all files that are to be applied are looked at together then."""
    index = {"0003_index.expand.sql": "CREATE UNIQUE INDEX CONCURRENTLY one ON people (slug)"}
    added = {"0002_slug.expand.sql": "ALTER TABLE people ADD slug text"}
    (alone,) = await findings_in(linter, tmp_path, index)
    assert alone.refused
    (told,) = await findings_in(linter, tmp_path, added)
    assert (Path(told.file).name, told.rule, told.refused) == (*index, "ban-new-write-restriction", False)


# --- comments ---


@pytest.mark.parametrize(
    "sql",
    [
        "-- squawk-ignore lock-table\nLOCK people;",
        "-- squawk-ignore table-rewrite, lock-table\nLOCK people; CLUSTER people;",
        "LOCK people; -- squawk-ignore lock-table: nobody is awake",
        "LOCK /* squawk-ignore lock-table */ people;",
        "SELECT 1;\n-- squawk-ignore-file lock-table\nLOCK people;",
        "-- squawk-ignore lock-table\nSELECT 1;\n-- squawk-ignore lock-table\nSELECT 2;\nLOCK people;"
        "-- squawk-ignore-file lock-table",
    ],
)
async def test_a_comment_makes_an_exception_of_a_lock(linter: Linter, tmp_path: Path, sql: str) -> None:
    assert "lock-table" not in await about(linter, tmp_path, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "LOCK people;\n-- squawk-ignore lock-table\nSELECT 1;",
        "-- squawk-ignore lock-tables\nLOCK people;",
        "-- squawk-ignore\nLOCK people;",
        "SELECT '-- squawk-ignore lock-table'; LOCK people;",
        "-- squawk-ignore-file\nLOCK people;",
    ],
)
async def test_and_of_nothing_else(linter: Linter, tmp_path: Path, sql: str) -> None:
    assert (await about(linter, tmp_path, sql))["lock-table"].refused


@pytest.mark.parametrize(
    "comment", ["-- squawk-ignore ban-drop-table", "-- squawk-ignore-file ban-drop-table"]
)
async def test_it_has_no_say_in_what_breaks_the_running_version(
    linter: Linter, tmp_path: Path, comment: str
) -> None:
    sql = f"{comment}\nDROP TABLE people;"
    finding = (await about(linter, tmp_path, sql))["ban-drop-table"]
    assert finding.refused
    assert "comment has no say" in finding.reason
    assert "unused-ignore" not in await about(linter, tmp_path, sql)


async def test_in_contract_it_has(linter: Linter, tmp_path: Path) -> None:
    sql = "-- squawk-ignore renaming-table\nALTER TABLE people RENAME TO persons"
    assert set(await about(linter, tmp_path, sql, Phase.CONTRACT)) == {"contract-without-expand"}


async def test_one_that_makes_no_difference_is_told(linter: Linter, tmp_path: Path) -> None:
    sql = "-- squawk-ignore lock-table, lock-tabel, prefer-robust-stmts\nCREATE TABLE people (id bigint);"
    found = await findings_in(linter, tmp_path, {"0001_people.expand.sql": sql})
    assert [each.reason for each in found] == [
        "Nothing here goes against 'lock-table'.",
        "There is no rule 'lock-tabel'.",
    ]


# --- places, and hostile files ---


async def test_places_are_counted_in_characters(linter: Linter, tmp_path: Path) -> None:
    sql = "COMMENT ON TABLE t IS 'äö😀'; DROP TABLE a;\r\n\tDROP TABLE b;\r\n/* 😀 */ DROP TABLE c"
    found = await findings_in(linter, tmp_path, {"0001_change.expand.sql": sql})
    assert [(each.line, each.column) for each in found] == [(1, 30), (2, 2), (3, 9)]


async def test_sql_that_does_not_parse_is_refused_with_its_place(linter: Linter, tmp_path: Path) -> None:
    sql = "ALTER TABLE people ADD COLUMN a text;\nALTER TABEL people, people, people;\n"
    found = await findings_in(linter, tmp_path, {"0001_change.contract.sql": sql})
    errors = [each for each in found if each.rule == "syntax-error"]
    assert [(each.line, each.column, each.refused) for each in errors] == [(2, 1, True)]
    assert "expected command" in errors[0].reason


async def test_what_squawk_alone_does_not_parse_can_be_said(linter: Linter, tmp_path: Path) -> None:
    sql = "-- squawk-ignore syntax-error\nSELECT FROM FROM"
    assert "syntax-error" not in await about(linter, tmp_path, sql)


async def test_a_backfill_is_parsed_as_well(linter: Linter, tmp_path: Path) -> None:
    where = "WHERE id > :after AND id <= :upto"

    async def found(update: str) -> dict[str, LintFinding]:
        sql = f"-- bluegreen: table=people key=id\nUPDATE {update}"
        return await about(linter, tmp_path, sql, Phase.BACKFILL)

    assert await found(f"people SET first_name = split_part(name, ' ', 1) {where};") == {}
    assert (await found(f"people SET first_name == name {where} AND 'ä' = :upto ) x"))[
        "syntax-error"
    ].line == 2
    assert (await found(f"bluegreen.migrations SET name = '' {where}"))["ledger-schema"].refused


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT " + "(" * 200_000, "status -6"),
        ("DROP TABLE a;" * 300, "The running version may still use the table."),
    ],
)
async def test_what_is_too_much_is_refused(linter: Linter, tmp_path: Path, sql: str, reason: str) -> None:
    found = await findings_in(linter, tmp_path, {"0001_change.expand.sql": sql})
    assert len(found) <= MAXIMUM_FINDINGS
    assert any(each.refused and reason in each.reason for each in found)


async def test_settings_that_lie_about_are_not_read(
    linter: Linter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".squawk.toml").write_text('excluded_rules = ["ban-drop-table"]\n')
    monkeypatch.chdir(tmp_path)
    assert "ban-drop-table" in await about(linter, tmp_path, "DROP TABLE people")


async def test_the_version_of_the_server_counts(tmp_path: Path) -> None:
    squawk = Squawk(CommandRunner())
    sql = "ALTER TABLE people ADD COLUMN active boolean DEFAULT true"
    old, new = [await squawk.look_through(sql, pg_version=version) for version in ("10", "18.1")]
    assert {each.rule for each in old} - {each.rule for each in new} == {"adding-field-with-default"}


async def test_what_is_applied_can_be_left_out(linter: Linter, tmp_path: Path) -> None:
    for name in ("0001_a.expand.sql", "0002_b.expand.sql", "0003_c.expand.sql"):
        (tmp_path / name).write_text("DROP TABLE people; ROLLBACK")
    report = await linter.lint_directory(tmp_path, first=3)
    assert report.files == 1
    assert [Path(each.file).name for each in report.findings] == ["0003_c.expand.sql"] * 2


# --- a contract of its own, the whole directory, and Squawk itself ---


async def test_a_contract_without_expand_is_told(linter: Linter, tmp_path: Path) -> None:
    files = {"0002_name.contract.sql": "ALTER TABLE people DROP COLUMN name"}
    (told,) = await findings_in(linter, tmp_path, files)
    assert (told.rule, told.refused) == ("contract-without-expand", False)
    assert await findings_in(linter, tmp_path, {"0002_name.expand.sql": "CREATE TABLE a (id bigint)"}) == ()


async def test_files_and_what_is_in_them_are_told_together(linter: Linter, tmp_path: Path) -> None:
    files = {
        "0001_a.expand.sql": "\\set x\nDROP TABLE people;",
        "0002_b.expand.sql": "DROP TABLE people;",
        "b.sql": "",
    }
    found = await findings_in(linter, tmp_path, files)
    assert [(Path(each.file).name, each.line, each.rule) for each in found] == [
        ("0001_a.expand.sql", 1, "psql-command"),
        ("0001_a.expand.sql", 2, "ban-drop-table"),
        ("0002_b.expand.sql", 1, "ban-drop-table"),
        ("b.sql", 1, "file-name"),
    ]


async def test_a_squawk_that_is_not_there_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSquawk, match=r"cannot be run: .* It comes with the package squawk-cli"):
        await Squawk(CommandRunner(), tmp_path / "squawk").look_through("SELECT 1")
    other = tmp_path / "squawk"
    other.write_text("#!/bin/sh\necho what do you want of me >&2\nexit 2\n")
    other.chmod(0o755)
    with pytest.raises(NoSquawk, match="not one that we know: what do you want of me"):
        await Squawk(CommandRunner(), other).look_through("SELECT 1")
    monkeypatch.setattr("importlib.metadata.files", lambda _: None)
    monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_squawk() == other
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoSquawk, match="is not installed"):
        find_squawk()


async def test_one_that_talks_nonsense_refuses_the_file(tmp_path: Path) -> None:
    other = tmp_path / "squawk"
    other.write_text("#!/bin/sh\necho nonsense\n")
    other.chmod(0o755)
    found = await about(Linter(Squawk(CommandRunner(), other)), tmp_path, "SELECT 1")
    assert found["lint-failed"].reason == "Squawk could not look at it: what it said is not understood."


def test_a_rule_of_a_later_squawk_is_weighed_by_its_name() -> None:
    breaking = squawk_rule("ban-drop-everything", "It drops everything.")
    assert (breaking.expand, breaking.ground, breaking.reason) == (
        Weight.REFUSED,
        Ground.BREAKS,
        "It drops everything.",
    )
    for name in ("renaming-everything", "changing-everything"):
        assert squawk_rule(name, "").expand is Weight.REFUSED
    assert squawk_rule("prefer-nothing", "").expand is Weight.TOLD


def test_texts_are_sentences() -> None:
    for each in ALL_RULES:
        assert each.reason.endswith(".")
        assert "|" not in each.reason + each.safe_way
    assert len({each.name for each in ALL_RULES}) == len(ALL_RULES)
