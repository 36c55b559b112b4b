"""Reading requests."""

from __future__ import annotations

import pytest
from envoy.service.discovery.v3 import discovery_pb2
from hypothesis import example, given
from hypothesis import strategies as st

from xds_server import ROUTE, BadRequest
from xds_server.subscription import subscribe_to
from xds_server.wire import Request, parse_request

NAMES = tuple(f"name-{number}" for number in range(40))
KNOWN = subscribe_to(False, frozenset(NAMES))
KNOWN.note(NAMES)


def read(data: bytes, *known: object) -> Request | str:
    try:
        return parse_request(data, known)  # type: ignore[arg-type]
    except BadRequest as refused:
        return type(refused).__name__


def ack(version: str, names: tuple[str, ...], nonce: str = "1") -> bytes:
    request = discovery_pb2.DiscoveryRequest(
        version_info=version, resource_names=names, type_url=ROUTE, response_nonce=nonce
    )
    return bytes(request.SerializeToString())


@given(
    st.text(max_size=140),
    st.sampled_from([(), NAMES, NAMES[:-1], (*NAMES, "more"), ("less", *NAMES), NAMES * 2]),
    st.one_of(st.just(b""), st.just(ack("", NAMES)), st.binary(max_size=20)),
)
@example("v", NAMES, b"\x1a\x04more")
@example("v", NAMES, b"\x0a\x01w")
def test_a_known_list_reads_as_an_unknown_one(version: str, names: tuple[str, ...], tail: bytes) -> None:
    data = ack(version, names) + tail
    assert read(data, KNOWN) == read(data)
    assert read(tail + data, KNOWN) == read(tail + data)


@pytest.mark.parametrize("version", ["", "0123456789abcdef"])
def test_a_known_list_is_not_read_again(version: str) -> None:
    request = parse_request(ack(version, NAMES), [KNOWN])
    assert request.names is KNOWN.listed
    assert (request.version, request.nonce, request.type_url) == (version, "1", ROUTE)
