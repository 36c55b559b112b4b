"""The database that both versions of a service share, as the service file writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, PlainValidator, WithJsonSchema, model_validator

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import Duration, Timespan
from bluegreen.admin.service_file.gate_fields import at_least, up_to
from bluegreen.admin.service_file.instance_fields import PathText, Percent
from bluegreen.admin.service_file.placeholder import placeholders, refuse_unknown
from bluegreen.model.connection_string import database_at
from bluegreen.model.database import Database
from bluegreen.model.errors import InvalidInput
from bluegreen.model.secret import SHOWN, Secret

MAX_CONNECTION = 4_000
"""Characters."""

# PostgreSQL counts in milliseconds, and takes 0 for no limit at all.
SHORTEST_TIMEOUT = 0.01
LONGEST_LOCK_TIMEOUT = 60.0
LONGEST_STATEMENT_TIMEOUT = 86_400.0
LONGEST_PATIENCE = 86_400.0
LONGEST_BATCH = 10.0
"""Seconds."""

_IN_PATH = ("service", "version")
_DATABASE = Database(Secret(""), "")


def _connection(value: object) -> Secret:
    """No complaint shows the value: there may be a password in it."""
    if value == SHOWN or (isinstance(value, str) and value.startswith(f"{SHOWN} ")):
        raise ValueError(f"{SHOWN} stands where the value is not shown: write the value itself.")
    if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_CONNECTION:
        raise ValueError(
            f"must be a text of at most {MAX_CONNECTION} printable characters, such as "
            "postgresql://USER:PASSWORD@HOST/DATABASE."
        )
    try:
        database_at(value)
    except InvalidInput as error:
        raise ValueError(str(error)) from None
    return Secret(value)


def _migrations(path: str) -> str:
    refuse_unknown(path, _IN_PATH)
    if "version" not in placeholders(path):
        raise ValueError("must hold {version}: each version comes with its own migrations.")
    return path


def _load(percent: int) -> int:
    if percent < 1:
        raise ValueError("must be at least 1%: with less nothing would ever be done.")
    return percent


ConnectionText = Annotated[
    Secret,
    PlainValidator(_connection),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_CONNECTION, "writeOnly": True}),
]
MigrationsPath = Annotated[PathText, AfterValidator(_migrations)]
Load = Annotated[Percent, AfterValidator(_load)]


class DatabaseEntry(Entry):
    """The PostgreSQL database that both versions share, and how its schema may be changed."""

    url: ConnectionText
    """A secret: postgresql://USER:PASSWORD@HOST/DATABASE, or the words of libpq."""
    migrations: MigrationsPath
    """The directory with a version's SQL files. {service} and {version} in it are filled in."""
    lock_timeout: Annotated[Duration, at_least(SHORTEST_TIMEOUT), up_to(LONGEST_LOCK_TIMEOUT)] = (
        _DATABASE.lock_timeout
    )
    """How long a statement waits for a lock before it gives way to those who queue behind it."""
    statement_timeout: Annotated[Duration, at_least(SHORTEST_TIMEOUT), up_to(LONGEST_STATEMENT_TIMEOUT)] = (
        _DATABASE.statement_timeout
    )
    """Of one statement, or one batch."""
    patience: Annotated[Timespan, up_to(LONGEST_PATIENCE)] = _DATABASE.patience
    """How long a file is tried again while locks are not to be had."""
    batch_time: Annotated[Duration, at_least(SHORTEST_TIMEOUT), up_to(LONGEST_BATCH)] = _DATABASE.batch_time
    """A backfill makes its batches so large that each takes about this long."""
    backfill_load: Load = _DATABASE.backfill_load
    """Percent of the time that a backfill works; the rest is the application's."""

    @model_validator(mode="after")
    def _within_the_statement(self) -> DatabaseEntry:
        for key in ("lock_timeout", "batch_time"):
            if getattr(self, key) >= self.statement_timeout:
                raise ValueError(f"{key} must be shorter than statement_timeout.")
        return self

    def build(self) -> Database:
        return Database(**dict(self))
