"""Reading a directory of migrations: what is taken, and all that is wrong with it at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from bluegreen.migrations.backfill_form import bind, with_constants
from bluegreen.migrations.migration_directory import MAXIMUM_ENTRIES, look_into
from bluegreen.migrations.migration_file import MAXIMUM_SIZE, BackfillHeader, parse_name
from bluegreen.model.errors import InvalidInput
from bluegreen.model.migration import LintFinding, MigrationName, Phase

HEADER = "-- bluegreen: table=people key=id\n"
UPDATE = "UPDATE people SET first = name WHERE id > :after AND id <= :upto"
BACKFILL = f"{HEADER}{UPDATE};\n"


def headed(statement: str) -> str:
    return HEADER + statement


def write(path: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def problems(path: Path, files: Mapping[str, str | bytes]) -> list[LintFinding]:
    """What the reading is refused for."""
    return list(look_into(write(path, files)).unusable)


def test_files_are_read_in_the_order_in_which_they_are_applied(tmp_path: Path) -> None:
    alone = "-- the only one\nCREATE INDEX CONCURRENTLY people_first ON people (first);\n"
    write(
        tmp_path,
        {
            "0002_split_name.contract.sql": "ALTER TABLE people DROP COLUMN name",
            "0002_split_name.backfill.sql": BACKFILL,
            "0002_split_name.expand.sql": "ALTER TABLE people ADD COLUMN first text;\r\n",
            "10000_index.expand.sql": alone,
            "0001_people.expand.sql": "CREATE TABLE people (id bigint, name text)",
            "README.md": "no SQL",
            "notes.sql.txt": "neither",
            ".0003_half.expand.sql.swp": "an editor's",
            ".#0003_half.expand.sql": "another's",
        },
    )
    files = look_into(tmp_path).files
    assert [str(file.migration) for file in files] == [
        "0001_people.expand",
        "0002_split_name.expand",
        "0002_split_name.backfill",
        "0002_split_name.contract",
        "10000_index.expand",
    ]
    _, expand, backfill, _, index = files
    assert expand.path == tmp_path / "0002_split_name.expand.sql"
    assert expand.text == "ALTER TABLE people ADD COLUMN first text;\r\n"
    assert expand.checksum == hashlib.sha256(expand.text.encode()).hexdigest()
    assert (expand.backfill, backfill.backfill) == (None, BackfillHeader("people", "id"))
    assert [file.runs_alone for file in files] == [False, False, False, False, True]
    assert [each.text for each in index.statements] == [alone.split("\n")[1][:-1]]


def test_an_empty_directory_has_no_migrations(tmp_path: Path) -> None:
    assert look_into(tmp_path).files == ()


@pytest.mark.parametrize("place", ["missing", "file", "no\0path"])
def test_what_is_no_directory_is_named(tmp_path: Path, place: str) -> None:
    write(tmp_path, {"file": ""})
    with pytest.raises(InvalidInput, match=place.replace("\0", r"\\x00")):
        look_into(tmp_path / place)


def test_a_directory_has_its_bounds(tmp_path: Path) -> None:
    for number in range(MAXIMUM_ENTRIES + 1):
        (tmp_path / str(number)).touch()
    with pytest.raises(InvalidInput, match="more than 10,000 files"):
        look_into(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "0002_split_name.sql",
        "0002_split_name.rollback.sql",
        "2_split_name.expand.sql",
        "00002_split_name.expand.sql",
        "0000_split_name.expand.sql",
        "0002.expand.sql",
        "0002_Split.expand.sql",
        "0002_split name.expand.sql",
        "0002_split_name.EXPAND.sql",
        "0002_split_name.expand.SQL",
        "٠٠٠٢_digits.expand.sql",
        "0002_two\nlines.expand.sql",
        "schema.sql",
    ],
)
def test_other_names_are_a_mistake(tmp_path: Path, name: str) -> None:
    assert parse_name(name) is None
    (problem,) = problems(tmp_path, {name: "SELECT 1"})
    assert problem.rule == "file-name"
    assert repr(name) in problem.reason


def test_a_name_is_what_it_is_written_as() -> None:
    assert parse_name("0012_a-b_2.backfill.sql") == MigrationName(12, "a-b_2", Phase.BACKFILL)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {
            "0001_latin.expand.sql": b"SELECT 1;\nSELECT '\xe4';",
            "0002_mark.expand.sql": b"\xef\xbb\xbfSELECT 1",
            "0003_nul.expand.sql": "SELECT 1;\n\n\0",
            "0004_large.expand.sql": "x" * (MAXIMUM_SIZE + 1),
            "0005_empty.expand.sql": "-- nothing\n;\n",
            "0006_open.expand.sql": "SELECT 1;\nSELECT\n  'abc",
            "0007_one.expand.sql": "SELECT 1",
            "0007_two.contract.sql": "SELECT 1",
            "8.sql": "",
        },
    )
    assert [(Path(each.file).name[:4], each.line, each.column, each.rule) for each in found] == [
        ("0001", 2, 9, "not-utf-8"),
        ("0002", 1, 1, "not-utf-8"),
        ("0003", 3, 1, "not-utf-8"),
        ("0004", 1, 1, "file-too-large"),
        ("0005", 1, 1, "empty-file"),
        ("0006", 3, 3, "syntax-error"),
        ("8.sq", 1, 1, "file-name"),
        ("0007", 1, 1, "number-taken"),
    ]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "0001_pipe.expand.sql")
    (tmp_path / "0002_directory.expand.sql").mkdir()
    (tmp_path / "0003_dangling.expand.sql").symlink_to("nowhere")
    (tmp_path / "0004_itself.expand.sql").symlink_to("0004_itself.expand.sql")
    (tmp_path / "0005_device.expand.sql").symlink_to("/dev/zero")
    found = problems(tmp_path, {})
    assert [each.rule for each in found] == ["unreadable-file"] * 5
    assert found[2].reason == "This link cannot be read: No such file or directory."


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    """As where Kubernetes puts a ConfigMap."""
    (tmp_path / "..data").mkdir()
    write(tmp_path / "..data", {"0001_people.expand.sql": "CREATE TABLE people (id bigint)"})
    (tmp_path / "0001_people.expand.sql").symlink_to("..data/0001_people.expand.sql")
    (file,) = look_into(tmp_path).files
    assert file.text == "CREATE TABLE people (id bigint)"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"0001_people.expand.sql": "SELECT 1"})
    (tmp_path / "0001_people.expand.sql").chmod(0)
    (problem,) = problems(tmp_path, {})
    assert problem.reason == "It cannot be read: Permission denied."


@pytest.mark.parametrize(
    ("sql", "rule", "place"),
    [
        ("SELECT 1;\nBEGIN; SELECT 2; COMMIT", "transaction-control", (2, 1)),
        ("START TRANSACTION", "transaction-control", (1, 1)),
        ("END", "transaction-control", (1, 1)),
        ("SELECT 1; ROLLBACK", "transaction-control", (1, 11)),
        ("ABORT", "transaction-control", (1, 1)),
        ("SAVEPOINT a", "transaction-control", (1, 1)),
        ("RELEASE a", "transaction-control", (1, 1)),
        ("PREPARE TRANSACTION 'x'", "transaction-control", (1, 1)),
        ("SET TRANSACTION READ ONLY", "transaction-control", (1, 1)),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "transaction-control", (1, 1)),
        ("SELECT 1;\n  \\copy people from 'x'", "psql-command", (2, 3)),
        ("SELECT 1 \\gexec", "psql-command", (1, 10)),
        ("SELECT 1;\nVACUUM", "not-in-transaction", (2, 1)),
        ("CREATE INDEX CONCURRENTLY i ON t (a); SELECT 1", "not-in-transaction", (1, 1)),
        ("SELECT $$ x", "syntax-error", (1, 8)),
    ],
)
def test_a_file_is_one_transaction(tmp_path: Path, sql: str, rule: str, place: tuple[int, int]) -> None:
    (first, *_) = problems(tmp_path, {"0001_change.contract.sql": sql})
    assert (first.rule, (first.line, first.column)) == (rule, place)


@pytest.mark.parametrize("sql", ["PREPARE a AS SELECT 1", "CREATE TABLE begin (commit int)", "SELECT E'\\n'"])
def test_what_only_looks_like_control_is_none(tmp_path: Path, sql: str) -> None:
    assert look_into(write(tmp_path, {"0001_change.expand.sql": sql})).unusable == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (UPDATE, "backfill-header"),
        (f"{UPDATE}; {HEADER}", "backfill-header"),
        (f"-- bluegreen: table=people\n{UPDATE}", "backfill-header"),
        (f"-- bluegreen: key=id\n{UPDATE}", "backfill-header"),
        (f"-- bluegreen: table=people key=id key=id\n{UPDATE}", "backfill-header"),
        (f"-- bluegreen: table=people key=id,name\n{UPDATE}", "backfill-header"),
        (f"-- bluegreen: table=people; key=id\n{UPDATE}", "backfill-header"),
        (f'-- bluegreen: table=people"; key=id\n{UPDATE}', "backfill-header"),
        (f"-- bluegreen: table=a.b.c key=id\n{UPDATE}", "backfill-header"),
        (f"-- bluegreen: table=people key=id batch=7\n{UPDATE}", "backfill-header"),
        (f"{BACKFILL}{UPDATE}", "backfill-one-statement"),
        (f"{HEADER}ALTER TABLE people ADD COLUMN first text", "backfill-one-statement"),
        (f"{HEADER}WITH a AS (SELECT 1 WHERE 1 > :after AND 1 <= :upto) SELECT 1", "backfill-one-statement"),
        (headed("UPDATE people SET first = name"), "backfill-batch"),
        (headed("UPDATE people SET first = name WHERE id > :after"), "backfill-batch"),
        (headed("UPDATE people SET first = ':upto' WHERE id > :after -- :upto"), "backfill-batch"),
        (f"{HEADER}{UPDATE} AND name <> :name", "backfill-batch"),
        (f"{HEADER}VACUUM people", "backfill-one-statement"),
        (f"{HEADER}{UPDATE}; COMMIT", "backfill-one-statement"),
        (HEADER, "empty-file"),
    ],
)
def test_a_backfill_is_one_statement_that_keeps_to_its_batch(tmp_path: Path, text: str, rule: str) -> None:
    found = problems(tmp_path, {"0002_split_name.backfill.sql": text})
    assert rule in {each.rule for each in found}


@pytest.mark.parametrize(
    ("header", "table", "key"),
    [
        ("-- bluegreen: table=people key=id", "people", "id"),
        ("--bluegreen:key=id   table=public.people", "public.people", "id"),
        ('-- why\n-- bluegreen: table="Odd"."people" key="Id"', '"Odd"."people"', '"Id"'),
        ("/* a\nlicence */\n\n-- bluegreen : table=p$1 key=_id\r", "p$1", "_id"),
    ],
)
def test_a_header_names_table_and_key(tmp_path: Path, header: str, table: str, key: str) -> None:
    write(tmp_path, {"0002_split_name.backfill.sql": f"{header}\n{UPDATE}"})
    (file,) = look_into(tmp_path).files
    assert file.backfill == BackfillHeader(table, key)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO copies SELECT id FROM people WHERE id > :after AND id <= :upto",
        "DELETE FROM people WHERE id > :after AND id <= :upto",
        "WITH old AS (SELECT id FROM people WHERE id > :after AND id <= :upto) UPDATE people SET a = 1",
        "UPDATE people SET a = b[1:n]::int WHERE id > :after AND id <= :upto",
    ],
)
def test_other_statements_are_backfills_too(tmp_path: Path, statement: str) -> None:
    write(tmp_path, {"0002_split_name.backfill.sql": HEADER + statement})
    assert look_into(tmp_path).findings == ()


def test_values_are_filled_in_where_they_are_meant() -> None:
    text = headed("UPDATE t SET a = ':after' /* :upto */, b = c::upto WHERE id > :after AND id <= :upto; \n")
    bound = bind(text, {"after": "$1", "upto": "$2"})
    assert bound == "UPDATE t SET a = ':after' /* :upto */, b = c::upto WHERE id > $1 AND id <= $2"


def test_who_only_parses_a_backfill_finds_everything_where_it_was() -> None:
    constant = with_constants(BACKFILL)
    assert constant == BACKFILL.replace(":after", "0     ").replace(":upto", "0    ")
