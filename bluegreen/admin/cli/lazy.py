"""Verbs are declared with click alone; what they do is imported when one of them runs.

So `--help` stays quick: it loads neither grpc nor the protobuf classes.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

from bluegreen.admin.cli.failure import failure
from bluegreen.model.errors import BluegreenError


def run(place: str, *arguments: object) -> NoReturn:
    """Call `module:function`, and exit with the code that it returns; errors of ours become sentences."""
    module, _, function = place.partition(":")
    try:
        code = getattr(import_module(module), function)(*arguments)
    except BluegreenError as error:
        raise failure(error) from error
    sys.exit(code)
