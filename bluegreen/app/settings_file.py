"""Settings in a file: TOML, with the names of the flags, `_` for `-`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

MAX_BYTES = 64 * 1024


def use_settings_file(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Make what the file says the default of every verb that knows the setting. A flag and an environment
    variable come before it."""
    if path is None:
        return
    values = _read(path)
    known = set(_settings(context.command))
    for name in values:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}."
            raise click.BadParameter(f"{path}: there is no setting {name!r}; {hint}")
    context.default_map = _defaults(context.command, values)


def _defaults(command: click.Command, values: Mapping[str, Any]) -> dict[str, Any]:
    """click's own form: the verb's defaults by name, and below each of its verbs the same."""
    own = {name: values[name] for name in _own_settings(command) if name in values}
    return own | {name: _defaults(verb, values) for name, verb in _verbs(command).items()}


def _settings(command: click.Command) -> Iterator[str]:
    yield from _own_settings(command)
    for verb in _verbs(command).values():
        yield from _settings(verb)


def _own_settings(command: click.Command) -> Iterator[str]:
    """What can be set from outside the command line at all: that which has an environment variable."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.envvar and parameter.expose_value:
            yield str(parameter.name)


def _verbs(command: click.Command) -> Mapping[str, click.Command]:
    return command.commands if isinstance(command, click.Group) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(MAX_BYTES).decode())
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path}: this is no TOML: {error}.") from error
