"""Whether a process can serve: what it answers when it is asked for its readiness."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

from bluegreen.model.endpoint import Endpoint

ANSWER_TIMEOUT = 1.0
"""Seconds from connecting to the status line."""

LONGEST_LINE = 1_000
"""Bytes of the status line that are looked at."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (?P<status>[0-9]{3})(?: |\r?\n)")


async def why_not_ready(endpoint: Endpoint, path: str) -> str:
    """Ask for a path (HTTP/1.1, RFC 9112); why it is not ready, and empty where it is: where it answers with
    a status of class 2xx in time. Only the status is read."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            return await _ask(endpoint, path)
    except TimeoutError:
        return f"did not answer {path} within {ANSWER_TIMEOUT:g} s"
    except asyncio.IncompleteReadError:
        return f"hung up when it was asked for {path}"
    except OSError as error:
        return f"could not be asked for {path}: {error.strerror or error}"


async def _ask(endpoint: Endpoint, path: str) -> str:
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, limit=LONGEST_LINE)
    try:
        head = (f"GET {path} HTTP/1.1", f"Host: {endpoint}", "User-Agent: bluegreen", "Connection: close")
        writer.write("\r\n".join((*head, "", "")).encode("ascii"))
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            line = b""
    finally:
        writer.close()
        with suppress(OSError):  # it may have hung up first
            await writer.wait_closed()
    answered = _STATUS_LINE.match(line)
    if answered is None:
        return f"answered {path} with what is no HTTP/1.1"
    status = answered["status"].decode()
    return "" if status.startswith("2") else f"answered {path} with status {status}"
