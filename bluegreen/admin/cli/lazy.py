"""Verbs are declared with click alone; what they do is imported when one of them runs.

So `--help` stays quick: it loads neither grpc nor the protobuf classes.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.failure import Failure, failure
from bluegreen.model.errors import BluegreenError


def run(place: str, *arguments: object) -> NoReturn:
    """Call `module:function`, and exit with the code that it returns; errors of ours become sentences, also
    when they come out of a task group."""
    module, _, function = place.partition(":")
    try:
        code = getattr(import_module(module), function)(*arguments)
    except BluegreenError as error:
        raise failure(error) from error
    except ExceptionGroup as group:
        ours, others = group.split(BluegreenError)
        if ours is None or others is not None:
            raise
        raise failure(_first(ours)) from group
    except KeyboardInterrupt:
        raise Failure("Interrupted.", ExitCode.INTERRUPTED) from None
    sys.exit(code)


def _first(group: ExceptionGroup[BluegreenError]) -> BluegreenError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
