"""Single values of `instances`: what processes are started with, and where a file of endpoints is."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from bluegreen.admin.service_file.gate_fields import Command
from bluegreen.admin.service_file.placeholder import placeholders, refuse_unknown
from bluegreen.admin.service_file.problem import quote
from bluegreen.model.secret import SHOWN, Secret

MAX_VALUE = 32_000
"""Characters of one variable."""

MAX_VARIABLES = 262_144
"""Bytes of all names and values together: with the longest command they stay below what can be started."""

MAX_PATH = 4_000

IN_COMMAND = ("port", "version", "revision", "environment", "instance", "service")
"""What the command of a process may hold."""

IN_PATH = ("service", "environment", "version", "revision")
"""What the path of a file of endpoints may hold."""

_EACH_ITS_OWN = ("environment", "revision")
_PERCENT = r"([0-9]{1,3}) ?%?"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]{0,127}"
_SET_BY_US = re.compile("PORT|BLUEGREEN_.*")


def _percent(value: object) -> int:
    found = None if isinstance(value, bool) else re.fullmatch(_PERCENT, str(value))
    if found is None or int(found[1]) > 100:
        raise ValueError(f"{quote(value)} is no whole percentage from 0% to 100%.")
    return int(found[1])


def _process_command(command: tuple[str, ...]) -> tuple[str, ...]:
    for index, part in enumerate(command):
        try:
            refuse_unknown(part, IN_COMMAND)
        except ValueError as error:
            raise ValueError(f"[{index}]: {error}") from None
    return command


def _variables(value: Any) -> Any:
    """No complaint shows a name that is none: whoever writes NAME=VALUE as a key has a secret in it."""
    if not isinstance(value, dict):
        raise ValueError("must be a mapping such as {DATABASE_URL: SECRET}.")
    for number, name in enumerate(value, 1):
        if not re.fullmatch(_VARIABLE, name):
            raise ValueError(
                f"the name of variable {number} is none: write NAME: VALUE, the name with at most 128 of "
                "A-Z, a-z, 0-9 and _, no digit first."
            )
        if _SET_BY_US.fullmatch(name):
            raise ValueError(f"{name} cannot be set: PORT and BLUEGREEN_... tell a process what it is.")
    return value


def _variable(value: object) -> Secret:
    """No complaint shows the value: it may be a password."""
    if value == SHOWN:
        raise ValueError(f"{SHOWN} stands where the value is not shown: write the value itself.")
    if not isinstance(value, str) or "\0" in value or len(value) > MAX_VALUE:
        raise ValueError(
            f"must be a text of at most {MAX_VALUE} characters, none of them zero (in quotes, if it is a "
            "number or a truth value)."
        )
    ours = next((word for word in placeholders(value) if word in IN_COMMAND), None)
    if ours is not None:
        variable = "PORT" if ours == "port" else f"BLUEGREEN_{ours.upper()}"
        raise ValueError(
            f"{{{ours}}} is not filled in here: the process finds it as {variable}, and in its command."
        )
    return Secret(value)


def _not_too_many(variables: dict[str, Secret]) -> dict[str, Secret]:
    if sum(len(name) + len(each.value.encode()) for name, each in variables.items()) > MAX_VARIABLES:
        raise ValueError(f"has more than {MAX_VARIABLES // 1024} KiB.")
    return variables


def _path(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PATH or not value.isprintable():
        raise ValueError(f"{quote(value)} is no path: a text of 1 to {MAX_PATH} printable characters.")
    return value


def _directory(path: str) -> str:
    if placeholders(path):
        raise ValueError(
            "nothing is filled in here: let the command name the version, as in /srv/{version}/shop."
        )
    return path


def _file_path(path: str) -> str:
    if path.endswith("/"):
        raise ValueError(f"{quote(path)} is a directory: name the file.")
    refuse_unknown(path, IN_PATH)
    if not any(word in _EACH_ITS_OWN for word in placeholders(path)):
        raise ValueError("must hold {environment} or {revision}: blue and green need a file each.")
    return path


def _host(value: object) -> str:
    text = value.removeprefix("[").removesuffix("]") if isinstance(value, str) else ""
    try:
        host = ip_address(text)
    except ValueError:
        host = None
    if host is None or "%" in text:
        raise ValueError(f"{quote(value)} is no IP address: write one of this machine, such as 127.0.0.1.")
    if host.is_unspecified or host.is_multicast:
        raise ValueError(
            f"{host} is nothing that a proxy could connect to: write an address of this machine."
        )
    return str(host)


Percent = Annotated[
    int,
    PlainValidator(_percent),
    WithJsonSchema(
        {
            "description": "Such as 50%; a number is percent.",
            "anyOf": [
                {"type": "string", "pattern": f"^{_PERCENT}$"},
                {"type": "integer", "minimum": 0, "maximum": 100},
            ],
        }
    ),
]
ProcessCommand = Annotated[Command, AfterValidator(_process_command)]

_PATH_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_PATH}
PathText = Annotated[str, PlainValidator(_path), WithJsonSchema(_PATH_SCHEMA)]
Directory = Annotated[PathText, AfterValidator(_directory)]
FilePath = Annotated[PathText, AfterValidator(_file_path)]
Host = Annotated[str, PlainValidator(_host), WithJsonSchema({"type": "string", "maxLength": 41})]

_Name = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{_VARIABLE}$"})]
_Value = Annotated[
    Secret,
    PlainValidator(_variable),
    WithJsonSchema({"type": "string", "maxLength": MAX_VALUE, "writeOnly": True}),
]
Variables = Annotated[
    dict[_Name, _Value],
    Field(max_length=200, json_schema_extra={"additionalProperties": False}),
    BeforeValidator(_variables),
    AfterValidator(_not_too_many),
]
