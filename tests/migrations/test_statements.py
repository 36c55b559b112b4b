"""How SQL is taken apart: nothing is lost, nothing hides, whatever is written."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.migrations.migration_file import MAXIMUM_SIZE
from bluegreen.migrations.statements import LineIndex, split
from bluegreen.migrations.token import Kind, tokenize

PIECES = [
    *("select", "begin", "atomic", "case", "end", "create", "function", "as", "E", "U&", "x", "é", "1", ".5"),
    *("'", "''", '"', "$$", "$a$", "$1", "--", "/*", "*/", "\\", ";", "(", ")", ":", "::", " ", "\n", "\r\n"),
    *("\ufeff", "\0", "{#", "#}", "😀", "\t"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60)


def texts(sql: str) -> list[str]:
    return [statement.text for statement in split(sql)]


@given(TEXTS)
def test_tokens_and_blanks_are_the_text(sql: str) -> None:
    position = 0
    for token in tokenize(sql):
        assert re.fullmatch(r"[ \t\n\r\f\v]*", sql[position : token.offset])
        assert sql[token.offset : token.end] == token.text
        position = token.end
    assert re.fullmatch(r"[ \t\n\r\f\v]*", sql[position:])


@given(TEXTS)
def test_statements_and_what_is_between_them_are_the_text(sql: str) -> None:
    parts, position = [], 0
    for statement in split(sql):
        between = sql[position : statement.offset]
        assert {token.kind for token in tokenize(between)} <= {Kind.COMMENT, Kind.SYMBOL}
        assert {token.text for token in tokenize(between) if token.kind is Kind.SYMBOL} <= {";"}
        assert statement.line == sql.count("\n", 0, statement.offset) + 1
        parts += [between, statement.text]
        position = statement.offset + len(statement.text)
    assert "".join([*parts, sql[position:]]) == sql


@given(TEXTS, st.integers(0, 60))
def test_a_place_is_found_again(sql: str, offset: int) -> None:
    line, column = LineIndex(sql).place(min(offset, len(sql)))
    lines = sql.split("\n")
    assert sum(len(each) + 1 for each in lines[: line - 1]) + column - 1 == min(offset, len(sql))


@pytest.mark.parametrize(
    "whole",
    [
        "select ';'",
        "select 'it''s; fine'",
        r"select '\'",
        r"select E'\';', e'a\\'",
        "select E'a'\n  'b\\';'",  # goes on in another line, with its backslashes
        "select E'a' -- b\n  'c\\';'",
        'select ";""" from "a;b"',
        "select U&\"d\\0061;t\", U&'d;', B'01', X'1F;', N'x;'",
        "select $$;$$, $a$ $$; $b$ $a$",
        "select a$b$c, $1",
        "select /* ; /* ; */ ; */ 1 -- ;\n + 1",
        "create rule r as on insert to t do also (insert into u values (1); delete from v)",
        "create function f() returns a language sql begin atomic select 1; select case when a then 2 end;end",
        "create or replace procedure p() begin atomic insert into t values (1); end",
        "create function f() returns int language sql begin atomic select 1 as end; end",
        "do $body$ begin perform 1; end $body$",
    ],
)
def test_what_stands_within_is_no_end(whole: str) -> None:
    assert texts(f"select 0;{whole};\n\nselect 1;") == ["select 0", whole, "select 1"]


@pytest.mark.parametrize(
    "text",
    [
        "select 1; {before} drop table people",
        "create function begin() returns int language sql as 'select 1'; {before} drop table people",
        "create table atomic (a int); {before} drop table people",
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        "",
        "{# ",
        r"'\' ;",
        "E'a' -- b\n'c\\'';",
        "a$b$ ;",
        "1$$x$$ ;",
        "-- x\n",
        "/* /* */ */",
        "\u00a0;",
        "//;",
        "#}",
    ],
)
def test_nothing_hides_a_statement(text: str, before: str) -> None:
    sql = text.replace("{before}", before)
    *_, last = split(sql)
    assert last.skeleton.endswith("DROP TABLE PEOPLE")
    assert not last.unclosed


@pytest.mark.parametrize("beginning", ["'", '"', "$$", "$a$", "/*", "/* /* */", "E'\\'", 'U&"'])
def test_what_is_not_closed_goes_on_to_the_end(beginning: str) -> None:
    first, last = split(f"select 1;\nselect {beginning} ; drop table x;\n")
    assert not first.unclosed
    assert last.unclosed
    assert last.line == 2
    assert last.tokens[-1].kind is Kind.UNCLOSED


def test_a_skeleton_has_one_blank_between_tokens() -> None:
    (statement,) = split('alter table "a b""c\n;" . x add "First" text default \'it\'\'s\' -- ;')
    assert statement.skeleton == """ALTER TABLE "a_b__c_;" . X ADD "First" TEXT DEFAULT ''"""


def test_words_and_lines() -> None:
    sql = (
        "-- what for\r\n\r\nCreate Unique Index\r\n  concurrently people_name on people (name);;\n ;select\n1"
    )
    create, select = split(sql)
    assert create.words == ("CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", "PEOPLE_NAME", "ON", "PEOPLE")
    assert (create.line, create.text.splitlines()[0]) == (3, "Create Unique Index")
    assert (select.line, select.text) == (5, "select\n1")
    assert texts("") == texts(" ; ;-- nothing\n") == []


@pytest.mark.parametrize(
    ("sql", "alone"),
    [
        ("create index concurrently i on t (a)", True),
        ("create unique index concurrently if not exists i on t (a)", True),
        ("create index on t (a)", False),
        ("drop index concurrently i", True),
        ("drop index i", False),
        ("reindex index concurrently i", True),
        ("reindex (verbose, concurrently) table t", True),
        ("reindex (concurrently false) table t", False),
        ("reindex table t", False),
        ("reindex schema public", True),
        ("alter table t detach partition p concurrently", True),
        ("alter table t detach partition p", False),
        ("vacuum", True),
        ("vacuum (analyze) t", True),
        ("alter system set work_mem = '1MB'", True),
        ("alter database d set tablespace x", True),
        ("alter database d set work_mem = '1MB'", False),
        ("create database d", True),
        ("drop subscription s", True),
        ("cluster", True),
        ("cluster t using i", False),
        ("refresh materialized view concurrently v", False),
        ("select 'vacuum'", False),
    ],
)
def test_what_runs_in_no_transaction(sql: str, alone: bool) -> None:
    (statement,) = split(sql)
    assert statement.runs_alone is alone


@pytest.mark.parametrize(
    "unit", ["$a$ $b$ ", "'", "/*", "E'\\", "a", "(", "''", "$", "begin ", "E'' \n", '"']
)
def test_a_long_line_of_anything_is_soon_taken_apart(unit: str) -> None:
    began = time.process_time()
    split(unit * (MAXIMUM_SIZE // 4 // len(unit)))
    assert time.process_time() - began < 5  # it takes less than one; what grows by the square, minutes
