"""Runs the commands of the walk in docs/migrations.md, and writes down what they say.

    python docs/walk/record_migrations.py

As `record.py` does for docs/operating.md, with the same ports. It brings its own PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path

from record import record

PAGE = Path(__file__).parents[1] / "migrations.md"

if __name__ == "__main__":
    record(PAGE)
