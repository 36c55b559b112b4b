"""Types of command-line parameters: what cannot be read is a usage error."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from bluegreen.admin import contract
from bluegreen.model.duration import parse_duration
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput

_PORT = re.compile(r"(?P<host>.+):0+", re.ASCII)


class _Parsed(click.ParamType[Any]):
    """A value that the domain knows how to read; one that is read already passes through."""

    def __init__(self, name: str, reader: Callable[[str], Any]) -> None:
        self.name = name
        self._reader = reader

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str | int | float):
            return value
        try:
            return self._reader(str(value))
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


def _listen_address(text: str) -> Endpoint:
    """As an address, but port 0 too: one that is free."""
    free = _PORT.fullmatch(text)
    return Endpoint(Endpoint.parse(f"{free['host']}:1").host, 0) if free else Endpoint.parse(text)


def _name(text: str) -> str:
    if not re.fullmatch(contract.NAME, text):
        raise InvalidInput(f"{text!r} is no name: up to 63 of a-z, 0-9 and -, with a letter first.")
    return text


def _word(text: str) -> str:
    if not 0 < len(text) <= 256 or not text.isprintable() or any(map(str.isspace, text)):
        raise InvalidInput(f"{text!r} is no name: up to 256 printable characters without blanks.")
    return text


ADDRESS = _Parsed("HOST:PORT", Endpoint.parse)
LISTEN_ADDRESS = _Parsed("HOST:PORT", _listen_address)
DURATION = _Parsed("DURATION", parse_duration)
NAME = _Parsed("NAME", _name)
WORD = _Parsed("NAME", _word)
