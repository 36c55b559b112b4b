"""The database that both versions of a service share: what the service file says of it."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Database:
    """`url` is a connection string of libpq; `migrations` the directory of a version's migrations, in which
    `{service}` and `{version}` are filled in. Durations in seconds."""

    url: Secret
    migrations: str
    # How long a statement waits for a lock before it gives way to those who queue behind it.
    lock_timeout: float = 1.0
    # How long one statement of expand or contract, or one batch of a backfill, may run.
    statement_timeout: float = 30.0
    # How long a file is tried again, with growing pauses, while locks are not to be had.
    patience: float = 300.0
    # A backfill makes its batches so large that each takes about this long.
    batch_time: float = 0.2
    # Percent of the time that a backfill works; the rest of it is the application's.
    backfill_load: int = 50
