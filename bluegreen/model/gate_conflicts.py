"""Where the gates of a service contradict one another, or the rest of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address

from bluegreen.model.acceptance_test import CommandTest, GrpcTest
from bluegreen.model.catalogue import Catalogue
from bluegreen.model.fault import Fault, repeated
from bluegreen.model.gates import Gates
from bluegreen.model.hook import Moment
from bluegreen.model.service import Protocol, Service


def faults_of_gates(service: Service) -> Iterator[Fault]:
    at, gates = ("services", service.name, "gates"), service.gates
    for keys, names in _named(gates):
        for index, first in repeated(names):
            yield Fault((*at, *keys, index), f"{keys[-1]}[{first}] has the same name.")
    conditions = gates.analysis.conditions if gates.analysis else ()
    for index, first in repeated(replace(each, text="") for each in conditions):
        yield Fault((*at, "analysis", "conditions", index), f"This says the same as conditions[{first}].")
    for index, test in enumerate(gates.tests):
        if isinstance(test, GrpcTest) and service.upstream.protocol is Protocol.HTTP1:
            message = "gRPC does not pass through upstream.protocol http1: set it to grpc or http2."
            yield Fault((*at, "tests", index), message)


def _named(gates: Gates) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Where names have to be distinct, since verdicts are told apart by them."""
    yield ("tests",), [test.name for test in gates.tests]
    if gates.analysis is not None:
        yield ("analysis", "sources"), [source.name for source in gates.analysis.sources]
    for moment in Moment:
        yield ("hooks", moment.value.replace("-", "_")), [hook.name for hook in gates.hooks_at(moment)]


def gateways_out_of_reach(catalogue: Catalogue, services: Iterable[Service]) -> Iterator[Fault]:
    """A listener on every address says nothing of where it is reached: tests would have nobody to ask."""
    testing: dict[str, str] = {}
    for service in services:
        if not all(isinstance(test, CommandTest) for test in service.gates.tests):
            for name in service.gateways:
                testing.setdefault(name, service.name)
    for name, service_name in sorted(testing.items()):
        gateway = catalogue.gateways.get(name)
        if gateway is not None and gateway.preview_url is None and _is_every_address(gateway.preview.host):
            yield Fault(
                ("gateways", name, "preview"),
                f"The tests of {service_name!r} need an address to ask, and {gateway.preview} is every one: "
                f"add preview_url, such as http://{name}.internal:{gateway.preview.port}.",
            )


def _is_every_address(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False
