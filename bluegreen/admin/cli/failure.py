"""The end of a verb that did not do what was asked."""

from __future__ import annotations

import click

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.model.errors import BluegreenError, Conflict, InvalidInput, Refused


class Failure(click.ClickException):
    """A sentence for standard error (what happened, where, what to do next), and the exit code."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click reads it here


def failure(error: BluegreenError) -> Failure:
    match error:
        case InvalidInput():
            return Failure(str(error), ExitCode.USAGE)
        case Refused() | Conflict():
            return Failure(str(error), ExitCode.REFUSED)
        case _:
            return Failure(str(error), ExitCode.FAILED)
