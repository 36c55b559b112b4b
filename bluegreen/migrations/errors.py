"""What ends a phase before its end.

Stopped             its verdict says who has to act
├── Refused         FAIL: a file, the order of things, or the database says no
└── Unreachable     ERROR: the database could not be asked, or not to the end

GaveWay             an attempt that others were in the way of: it is made again
"""

from __future__ import annotations

from typing import ClassVar

import psycopg

from bluegreen.model.verdict import Verdict


class Stopped(Exception):
    """The message is a sentence, without its full stop, for whoever asked for the phase."""

    verdict: ClassVar[Verdict]


class Refused(Stopped):
    verdict = Verdict.FAIL


class Unreachable(Stopped):
    verdict = Verdict.ERROR


class GaveWay(Exception):
    """The message says to what."""


class StatementFailed(Exception):
    """`place` is FILE:LINE or FILE:LINE:COLUMN."""

    def __init__(self, error: psycopg.Error, place: str) -> None:
        super().__init__(f"{place}: {error}")
        self.error = error
        self.place = place


# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_SENTENCES = {
    "25P03": "the database ended the session: it was idle in a transaction",
    "25P04": "the database ended the session: its transaction took too long",
    "25006": "the database takes no changes: it is a read-only standby, or its transactions are read-only",
    "42501": "the role lacks a right",
    "53100": "the disk of the database is full",
    "53200": "the database is out of memory",
    "53300": "the database has no connection left",
    "57014": "the statement was cancelled",
    "57P01": "the database ended the session: it is shut down, or an administrator did",
    "57P02": "the database ended the session after a crash of one of its processes",
    "57P03": "the database takes no connections at the moment",
}
_OTHERS_IN_THE_WAY = {
    "55P03": "a lock was not to be had within lock_timeout",
    "40P01": "it and another transaction waited for one another",
    "40001": "another transaction changed the same rows",
}


def gives_way(error: psycopg.Error) -> str | None:
    """Whom an attempt has to give way to, which will succeed once they are done; None: it will not."""
    return _OTHERS_IN_THE_WAY.get(error.sqlstate or "")


def ends_connection(error: psycopg.Error) -> bool:
    """Whether the database cannot be asked any more (SQLSTATE class 08, the 57P.., what ends a transaction's
    session, and what has none)."""
    state = error.sqlstate or ""
    return state.startswith(("08", "57P", "25P03", "25P04")) or (
        not state and isinstance(error, psycopg.OperationalError)
    )


def said(error: psycopg.Error) -> str:
    """What the server said, in one line: what it means, its own words, its SQLSTATE, detail and hint."""
    diagnosis = error.diag
    words = diagnosis.message_primary or " ".join(str(error).split())
    meaning = _SENTENCES.get(error.sqlstate or "") or gives_way(error)
    parts = [f"{meaning}: {words}" if meaning else words]
    if error.sqlstate:
        parts[0] += f" (SQLSTATE {error.sqlstate})"
    if diagnosis.message_detail:
        parts.append(f"Detail: {diagnosis.message_detail}")
    if diagnosis.message_hint:
        parts.append(f"Hint: {diagnosis.message_hint}")
    return ". ".join(part.rstrip(".") for part in parts)
