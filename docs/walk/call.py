"""Somebody who calls the service of the walk: a hundred requests a second, whatever the answers are."""

from __future__ import annotations

import http.client
import time

PORT = 10000
PAUSE = 0.01  # seconds


def call() -> None:
    """Requests on one connection, for as long as it lasts. Raises OSError where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    while True:
        connection.request("GET", "/")
        connection.getresponse().read()
        time.sleep(PAUSE)


while True:
    try:
        call()
    except (OSError, http.client.HTTPException):
        time.sleep(PAUSE)  # an Envoy that is not there yet, or has been stopped
