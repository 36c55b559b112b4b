"""The PostgreSQL of the walk in docs/migrations.md: writes `postgres.env` for a shell once it is there.

    python docs/walk/postgres.py

It has a database `shop` with a role of that name, which owns it and is no superuser.
"""

from __future__ import annotations

import signal
from pathlib import Path

import psycopg

from bluegreen.app.demo.postgres import find_programs, postgres_server

ROLE = "shop"

UNTIL = {signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, UNTIL)  # in time for what is started here, and ends by SIGINT

with postgres_server() as server:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN".encode())
        connection.execute(f"CREATE DATABASE {ROLE} OWNER {ROLE}".encode())
    variables = {"PGHOST": server.directory, "PGUSER": ROLE, "PGDATABASE": ROLE}
    lines = [f"export {name}={value}" for name, value in variables.items()]
    lines.append(f'export PATH="$PATH:{find_programs()}"')
    written = Path("postgres.env.new")
    written.write_text("\n".join(lines) + "\n")
    written.rename("postgres.env")
    signal.sigwait(UNTIL)
