"""Whether the database still answers.

A machine that has vanished, or a network that swallows everything, ends no connection: who waits for an
answer would wait for hours, and hold its place as the one runner as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from bluegreen.migrations.errors import Unreachable, said

PAUSE, LONGEST_SILENCE = 5.0, 30.0
"""Seconds between two questions, and for an answer."""


@asynccontextmanager
async def answer_within(seconds: float) -> AsyncIterator[None]:
    """Raises Unreachable for what is not over by then."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        said_nothing = f"The database does not answer: nothing was heard of it for {seconds:g} s"
        raise Unreachable(said_nothing) from error


@asynccontextmanager
async def as_long_as_it_answers(connection: AsyncConnection[TupleRow]) -> AsyncIterator[None]:
    """End what is done in the context, on other connections, when the database answers no more on this one.

    Raises Unreachable.
    """
    is_over = False

    def end(_: asyncio.Task[None]) -> None:
        if not is_over:
            limit.reschedule(0.0)

    try:
        async with asyncio.timeout(None) as limit:
            asking = asyncio.ensure_future(_ask(connection))
            asking.add_done_callback(end)
            try:
                yield
            finally:
                is_over = True
                asking.cancel()
                await asyncio.wait((asking,))
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise asking.exception() or error from error


async def _ask(connection: AsyncConnection[TupleRow]) -> None:
    """For ever. Raises Unreachable."""
    try:
        while True:
            async with answer_within(LONGEST_SILENCE):
                await connection.execute("SELECT 1")
            await asyncio.sleep(PAUSE)
    except psycopg.Error as error:
        raise Unreachable(f"The connection to the database was lost: {said(error)}") from error
