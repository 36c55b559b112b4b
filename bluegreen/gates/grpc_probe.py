"""gRPC health tests: the health protocol (grpc.health.v1) through the gateways."""

from __future__ import annotations

import asyncio

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from yarl import URL

from bluegreen.gates.outcome import Outcome
from bluegreen.gates.repetition import through_every_gateway
from bluegreen.gates.text import beginning
from bluegreen.model.acceptance_test import GrpcTest
from bluegreen.model.checker import Target
from bluegreen.model.verdict import Verdict

MAXIMUM_MESSAGE = 65_536
"""Bytes; a health answer has three."""

_PORTS = {"http": 80, "https": 443}


async def probe_grpc(test: GrpcTest, target: Target) -> Outcome:
    """Passes where every answer is SERVING. No connection at all is an error, any other answer a failure.

    `http` in the URL: plaintext; `https`: TLS with the roots that gRPC trusts, and a certificate of the URL's
    host. The :authority is the target's domain.
    """

    async def ask(url: str) -> Outcome:
        try:
            channel = _channel(URL(url), target.domain)
        except ValueError:
            return Outcome(Verdict.ERROR, "the address is no http or https URL")
        async with channel:
            return await _check(channel, test)

    return await through_every_gateway(test, target.urls, "", ask)


def _channel(url: URL, authority: str) -> grpc.aio.Channel:
    """A connection of its own: after one that failed, gRPC would wait before the next. Raises ValueError."""
    if url.scheme not in _PORTS or not url.raw_host:
        raise ValueError("no http or https URL")
    host = f"[{url.raw_host}]" if ":" in url.raw_host else url.raw_host
    options: list[tuple[str, str | int]] = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.max_receive_message_length", MAXIMUM_MESSAGE),
    ]
    if authority:
        options.append(("grpc.default_authority", authority))
    address = f"dns:///{host}:{url.port or _PORTS[url.scheme]}"
    if url.scheme == "http":
        return grpc.aio.insecure_channel(address, options)
    options.append(("grpc.ssl_target_name_override", url.raw_host))
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(), options)


async def _check(channel: grpc.aio.Channel, test: GrpcTest) -> Outcome:
    request = health_pb2.HealthCheckRequest(service=test.service)
    service = f"service {test.service!r}" if test.service else "the server"
    try:
        async with asyncio.timeout(test.timeout):
            if not await _connects(channel):
                return Outcome(Verdict.ERROR, "no connection")
            answer = await health_pb2_grpc.HealthStub(channel).Check(request)
    except TimeoutError:
        return Outcome(Verdict.FAIL, f"no answer within {test.timeout:g} s")
    except grpc.aio.AioRpcError as error:
        what = f"expected SERVING; {service} was answered with {error.code().name}"
        return Outcome(Verdict.FAIL, what, beginning(error.details() or ""))
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return Outcome(Verdict.PASS, "SERVING")
    return Outcome(Verdict.FAIL, f"expected SERVING; {service} is {_name(answer.status)}")


async def _connects(channel: grpc.aio.Channel) -> bool:
    """Whether the first try to connect succeeds; asked apart, since Envoy's 503 is UNAVAILABLE as well."""
    state = channel.get_state(try_to_connect=True)
    while state not in {grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE}:
        await channel.wait_for_state_change(state)
        state = channel.get_state(try_to_connect=True)
    return state is grpc.ChannelConnectivity.READY


def _name(status: int) -> str:
    """Numbers of a later protocol stay numbers."""
    names: dict[int, str] = {
        number: name for name, number in health_pb2.HealthCheckResponse.ServingStatus.items()
    }
    return names.get(status, f"status {status}")
