"""Options that several verbs share, gathered into what the verbs are handed."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from bluegreen.admin.cli.parameters import ADDRESS, DURATION
from bluegreen.model.endpoint import Endpoint

ADMIN = Endpoint("127.0.0.1", 18001)

Verb = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls which control plane, and in what form the answer is wanted."""

    admin: Endpoint
    json: bool
    actor: str = ""
    reason: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """Whether to wait for the outcome, and how long. Seconds; `timeout` None: as long as it takes.

    `reconnect`: how long a control plane may be away in the meantime, and is then gone on with; a timeout is
    waited out.
    """

    wait: bool
    timeout: float | None = None
    reconnect: float = 60.0


def setting(flag: str, description: str, **attributes: Any) -> Callable[[Verb], Verb]:
    """An option that can be set by environment variable and settings file as well."""
    variable = f"BLUEGREEN_{flag.partition('/')[0].removeprefix('--').replace('-', '_').upper()}"
    return click.option(flag, envvar=variable, show_envvar=True, help=description, **attributes)


_ADMIN = setting(
    "--admin", "Where the control plane's admin API is.", type=ADDRESS, default=str(ADMIN), show_default=True
)
_OUTPUT = click.option(
    "-o",
    "--output",
    envvar="BLUEGREEN_OUTPUT",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For a person, or for a program: the API's messages as JSON.",
)
_ACTOR = setting("--actor", "Who asks, for the record.  [default: user@host]")
_KEY = click.option(
    "--key", default="", help="Of this command, such as a UUID: sent again, it acts only once."
)
_REASON = setting("--reason", "Why, for the record.", default="")
_WAIT = setting(
    "--wait/--no-wait", "Wait for the outcome, with the progress on standard error.", default=None
)
_TIMEOUT = setting("--timeout", "Wait at most so long (30s, 5m); implies --wait.", type=DURATION)


def asking(verb: Verb) -> Verb:
    """For a verb that only looks: it is handed a Caller first."""

    @_ADMIN
    @_OUTPUT
    @wraps(verb)
    def wrapped(*arguments: Any, admin: Endpoint, output: str, **options: Any) -> None:
        verb(Caller(admin, output == "json"), *arguments, **options)

    return wrapped


def commanding(verb: Verb) -> Verb:
    """For a verb that changes something: it is handed a Caller first, who says who asks, and why."""

    @_ADMIN
    @_OUTPUT
    @_ACTOR
    @_REASON
    @_KEY
    @wraps(verb)
    def wrapped(*arguments: Any, admin: Endpoint, output: str, **options: Any) -> None:
        actor, reason = options.pop("actor") or _whoami(), " ".join(options.pop("reason").split())
        verb(Caller(admin, output == "json", actor, reason, options.pop("key")), *arguments, **options)

    return wrapped


def waiting(verb: Verb) -> Verb:
    """For a verb that starts something: it is handed a Patience after the Caller."""
    return _patient(verb, unless_told=False)


def awaiting(verb: Verb) -> Verb:
    """As `waiting`, for a verb that is given for its outcome: it waits unless told not to."""
    return _patient(verb, unless_told=True)


def _patient(verb: Verb, *, unless_told: bool) -> Verb:
    @_WAIT
    @_TIMEOUT
    @wraps(verb)
    def wrapped(caller: Caller, *arguments: Any, **options: Any) -> None:
        wait, timeout = options.pop("wait"), options.pop("timeout")
        wait = wait if wait is not None else unless_told or timeout is not None
        patience = Patience(wait) if timeout is None else Patience(wait, timeout, reconnect=timeout)
        verb(caller, patience, *arguments, **options)

    return wrapped


def _whoami() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        user = "unknown"
    return f"{user}@{platform.node() or 'unknown'}"
