from __future__ import annotations

import pytest

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("shop-1.internal:1", "shop-1.internal", 1),
        ("my_service:65535", "my_service", 65535),
        ("[::1]:443", "::1", 443),
        ("[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1),
        ("shop.example.com.:80", "shop.example.com.", 80),
        ("v2.0-shop:80", "v2.0-shop", 80),
        (" 10.0.0.1:80\n", "10.0.0.1", 80),
    ],
)
def test_an_address_is_read_and_written(text: str, host: str, port: int) -> None:
    endpoint = Endpoint.parse(text)
    assert endpoint == Endpoint(host, port)
    assert str(endpoint) == text.strip()


@pytest.mark.parametrize(("text", "named"), [("web:80", True), ("10.0.0.1:80", False), ("[::1]:80", False)])
def test_what_has_to_be_resolved(text: str, named: bool) -> None:
    assert Endpoint.parse(text).is_by_name is named


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Shop.Internal:80", "shop.internal:80"),
        ("[0:0::0:1]:80", "[::1]:80"),
        ("[FE80::1]:80", "[fe80::1]:80"),
    ],
)
def test_the_same_endpoint_is_known_again(one: str, other: str) -> None:
    assert Endpoint.parse(one) == Endpoint.parse(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "localhost",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:999999",
        "localhost:-1",
        "localhost:80:90",
        "::1:80",
        "[::1]",
        "[]:80",
        "http://localhost:80",
        "local host:80",
        "localhost:\uff18\uff10",
        "a" * 254 + ":80",
        "a" * 64 + ".example.com:80",
        "[::::]:80",
        "[1.2.3.4]:80",
        "[fe80::1%eth0]:80",
        "x..y:80",
        "-:80",
        "-x.example.com:80",
        "...:80",
        "256.0.0.1:80",
        "10.0.1:80",
        "010.0.0.1:80",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no address: write HOST:PORT"):
        Endpoint.parse(text)
