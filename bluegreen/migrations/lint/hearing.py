"""A file as Squawk is told of it: everything stands where it stands in the file. Pure."""

from __future__ import annotations

from bluegreen.migrations.backfill_form import with_constants
from bluegreen.migrations.lint.own_rules import MAY_EXIST
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.statements import Statement
from bluegreen.migrations.token import Kind
from bluegreen.model.migration import Phase


def heard(file: MigrationFile) -> str:
    """Squawk knows no `:after`. And it lets pass what is done to a table that the file creates, also where
    that table may have been there before (IF NOT EXISTS): it hears of the creation of another one."""
    text = with_constants(file.text) if file.migration.phase is Phase.BACKFILL else file.text
    parts, position = [], 0
    for statement in file.statements:
        if (place := _name_of_what_may_exist(statement)) is not None:
            parts += [text[position:place], "x" if text[place] == "_" else "_"]
            position = place + 1
    return "".join([*parts, text[position:]])


def _name_of_what_may_exist(statement: Statement) -> int | None:
    """Where the name of the table begins, behind its quote and its schema."""
    found = MAY_EXIST.match(statement.skeleton)
    if not found:
        return None
    names = found[0].count(" ")  # tokens before the last of its name
    token = statement.tokens[names]
    return token.offset + (token.kind is Kind.NAME)
