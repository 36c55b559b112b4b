"""One HTTP request and its answer, just as told: nothing is followed, repeated or remembered."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

MAXIMUM_BODY = 1024 * 1024
"""Bytes of an answer's body that are read."""

_TOO_MUCH = 64 * 1024  # of headers, in one line


@dataclass(frozen=True, slots=True)
class Request:
    """`timeout`: seconds until the answer must be read. The headers may be secret."""

    method: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`is_cut`: the body is longer than MAXIMUM_BODY, and only that much is here. `seconds`: from asking,
    connecting included, until it was read."""

    status: int
    location: str
    body: bytes
    is_cut: bool
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class NoAnswer(Exception):
    """There is no whole answer; the message says why, and holds neither a header nor a path."""


class CannotAsk(NoAnswer):
    """The request was never sent: nobody is reached, or it is none that can be sent."""


class TimedOut(NoAnswer):
    """No whole answer in time."""


class HttpClient:
    """Asks. Redirects are answers like any other; environment variables (proxies, netrc) change nothing."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[HttpClient]:
        """A client for as long as the context is open.

        A connection serves one request: one that was kept may be closed just when it is needed, which says
        nothing of the answer.
        """
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers={"User-Agent": "bluegreen"},
            skip_auto_headers=("Accept-Encoding", "Content-Type"),  # what is sent is what is written
            max_line_size=_TOO_MUCH,
            max_field_size=_TOO_MUCH,
            trust_env=False,
            middlewares=(_send_once,),
        ) as session:
            yield cls(session)

    async def ask(self, request: Request) -> Answer:
        """Raises NoAnswer."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(request.timeout):
                return await self._ask(request, began)
        except TimeoutError as error:
            raise TimedOut(f"no whole answer within {request.timeout:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise CannotAsk(f"no connection: {_reason(error)}") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise CannotAsk("the address is no URL that can be asked") from error
        except aiohttp.ClientError as error:
            raise _broken(error) from error
        except OSError as error:
            raise NoAnswer(f"the connection broke: {_reason(error)}") from error
        except ValueError as error:  # a method or header that HTTP does not allow; the text may quote it
            raise CannotAsk("the request is none that HTTP allows (method, headers, address)") from error

    async def _ask(self, request: Request, began: float) -> Answer:
        async with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
        ) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MAXIMUM_BODY:
                    answer.close()
                    break
            return Answer(
                answer.status,
                answer.headers.get("Location", ""),
                bytes(body[:MAXIMUM_BODY]),
                len(body) > MAXIMUM_BODY,
                asyncio.get_running_loop().time() - began,
            )


def origin(url: str | URL) -> str:
    """Scheme, host and port: what can be shown of a URL whose path, query or user may be secret."""
    try:
        return str(URL(url).origin())
    except ValueError:
        return "an address that is no URL"


def without_user(url: str) -> str:
    """The URL without the user and password that may be in it."""
    try:
        return str(URL(url).with_user(None)).rstrip("/")
    except ValueError:
        return "an address that is no URL"


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """aiohttp sends a GET again when its connection breaks, even a new one; an error that it does not know
    it takes for the end."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _broken(error) from error


def _broken(error: aiohttp.ClientError) -> NoAnswer:
    match error:
        case aiohttp.ServerDisconnectedError():
            why = "the connection was closed"
        case aiohttp.ClientOSError():
            why = _reason(error)
        case _:
            why = type(error).__name__
    return NoAnswer(f"the answer broke off or is no HTTP: {why}")


def _reason(error: OSError) -> str:
    """The system's words; of a resolver or of TLS, theirs (asyncio hides the system's behind its own)."""
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
