"""Runs the commands of the walk in docs/environments.md, and writes down what they say.

    python docs/walk/record_environments.py

As `record.py` does for docs/operating.md, with the same ports. Its instances are processes that outlive the
control plane: the last command, which is not shown, ends them.
"""

from __future__ import annotations

from pathlib import Path

from record import record

PAGE = Path(__file__).parents[1] / "environments.md"

if __name__ == "__main__":
    record(PAGE)
