"""What a connection string of PostgreSQL's client library says of where it leads, and nothing else of it.

Source: libpq, "Connection Strings"; a URL, or words such as `host=db dbname=shop`.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from bluegreen.model.errors import InvalidInput
from bluegreen.model.secret import SHOWN, Secret

_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._%-]*)(?::[0-9]{1,5})?"
# Whatever stands before the last @ is a user and a password: with an @ or / of its own, which must be written
# as %40 or %2F, it does not match, so that no part of it is taken for a host.
_URL = re.compile(
    rf"postgres(?:ql)?://(?:[^\s@/?#]*@)?(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<name>[^\s@/?#]*))?"
    r"(?:\?(?P<settings>[^\s@?#]*))?"
)
_WORD = r"(?P<key>[a-z_]+)\s*=\s*(?:'(?P<quoted>(?:[^'\\]|\\.)*)'|(?P<plain>[^\s'\\]+))"
_WORDS = re.compile(rf"\s*(?:{re.sub(r'[?]P<[a-z]+>', '?:', _WORD)}(?:\s+|$))+")


class ConnectionString(Secret):
    """Shows the host and the database alone."""

    __slots__ = ()

    def __str__(self) -> str:
        try:
            return f"{SHOWN} for {database_at(self.value)}"
        except InvalidInput:  # what cannot be told apart is shown in no part
            return SHOWN


def database_at(connection: str) -> str:
    """Such as `db.internal:5432/shop`, `/run/postgresql/shop`, or `shop` alone. Raises InvalidInput, which
    shows no part of it, where it is no connection string or names no database."""
    if "://" in connection:
        host, name = _of_url(connection)
    else:
        host, name = _of_words(connection)
    if not name:
        raise InvalidInput("The connection string names no database: write postgresql://USER@HOST/DATABASE.")
    return f"{host}/{name}" if host else name


def _of_url(connection: str) -> tuple[str, str]:
    found = _URL.fullmatch(connection)
    if found is None:
        raise InvalidInput(
            "This is no URL of a PostgreSQL database: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "without blanks, and in the password %40 for @, %2F for / and so on."
        )
    settings = dict(parse_qsl(found["settings"] or ""))
    host = found["hosts"] or settings.get("host", "")
    return host, found["name"] or settings.get("dbname", "")


def _of_words(connection: str) -> tuple[str, str]:
    if _WORDS.fullmatch(connection) is None:
        raise InvalidInput(
            "This is no connection string: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or words "
            "such as host=HOST dbname=DATABASE."
        )
    words = {
        found["key"]: found["plain"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
        for found in re.finditer(_WORD, connection)
    }
    port = f":{words['port']}" if "port" in words else ""
    return words.get("host", words.get("hostaddr", "")) + port, words.get("dbname", "")
