"""What streams leave behind, and when the collector comes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from tests.xds_server.conftest import settled
from tests.xds_server.resources import route
from xds_server import ROUTE, XdsServer, tune_memory


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def request(protocol: str, *names: str) -> Any:
    """A first request."""
    if protocol == "sotw":
        first = discovery_pb2.DiscoveryRequest(type_url=ROUTE, resource_names=names)
    else:
        first = discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTE, resource_names_subscribe=names)
    first.node.id, first.node.cluster = "p1", "edge"
    return first


async def breaks_off(call: Any, _protocol: str) -> None:
    call.cancel()


async def ends(call: Any, _protocol: str) -> None:
    await call.done_writing()


async def is_refused(call: Any, protocol: str) -> None:
    unknown = request(protocol)
    unknown.type_url = "unknown"
    await call.write(unknown)


@pytest.mark.parametrize("ending", [breaks_off, ends, is_refused])
@pytest.mark.parametrize("protocol", ["sotw", "delta"])
async def test_an_ended_stream_is_freed_without_the_collector(
    server: XdsServer, address: str, no_collector: None, protocol: str, ending: Callable[..., Any]
) -> None:
    server.publish("edge", [route("r")])
    async with grpc.aio.insecure_channel(address) as channel:
        stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
        method = stub.StreamAggregatedResources if protocol == "sotw" else stub.DeltaAggregatedResources
        call = method()
        await call.write(request(protocol, "r"))
        await call.read()
        await settled(server, lambda: "p1" in server.fleet)
        freed = asyncio.Event()
        sessions = [
            weakref.ref(stream.session, lambda _: freed.set()) for stream in server.fleet.streams_of("p1")
        ]
        await ending(call, protocol)
        async with asyncio.timeout(5):
            await freed.wait()
        assert [session() for session in sessions] == [None]
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
            await call.code()


class Knot:
    """Garbage that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


async def test_the_collector_comes_by_the_clock_and_leaves_the_settings_as_they_were(
    server: XdsServer,
) -> None:
    threshold, frozen = gc.get_threshold(), gc.get_freeze_count()
    tuning = asyncio.create_task(tune_memory(server.fleet))
    await asyncio.sleep(0)
    assert gc.get_threshold() != threshold
    assert gc.get_freeze_count() > frozen
    freed = asyncio.Event()
    gone = weakref.ref(Knot(), lambda _: freed.set())
    async with asyncio.timeout(5):
        await freed.wait()
    assert gone() is None
    tuning.cancel()
    await asyncio.wait([tuning])
    assert gc.get_threshold() == threshold
    assert gc.get_freeze_count() == 0
