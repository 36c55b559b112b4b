"""Where a pool's file is, and what stands in it."""

from __future__ import annotations

import os
import re
import stat

from bluegreen.model.errors import InvalidInput
from bluegreen.model.pool import Pool

MAXIMUM_FILE = 1024 * 1024
"""Bytes."""

_PLACEHOLDER = re.compile(r"\{(service|environment|version|revision)\}")


def fill_path(template: str, pool: Pool) -> str:
    """Raises InvalidInput where what is filled in would lead elsewhere."""
    values = {
        "service": pool.service,
        "environment": pool.environment,
        "version": pool.version,
        "revision": str(pool.revision),
    }

    def value(match: re.Match[str]) -> str:
        text = values[match[1]]
        if text in ("", ".", "..") or not text.isprintable() or "/" in text:
            raise InvalidInput(f"The {match[1]} {text!r} cannot be a part of the path {template}.")
        return text

    return _PLACEHOLDER.sub(value, template)


def read_file(path: str) -> bytes | None:
    """The content; None: there is no such file. Raises InvalidInput where there is one that cannot be read,
    or is no plain file, or too large. Blocks."""
    try:
        # A FIFO would otherwise hold us until somebody writes to it.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput("it is no plain file.")
            content = file.read(MAXIMUM_FILE + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"it cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(content) > MAXIMUM_FILE:
        raise InvalidInput(f"it is larger than {MAXIMUM_FILE // 1024} KiB.")
    return content
