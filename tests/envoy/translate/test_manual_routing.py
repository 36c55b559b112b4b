"""Chosen users reach the candidate through a real Envoy's production listener, and nobody else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.service import Route
from bluegreen.model.steering import ManualRouting
from bluegreen.model.traffic import ServiceTraffic
from tests.envoy.translate.samples import MANUAL, backend, service
from tests.envoy.translate.test_real_envoy import serving
from tests.support.fixtures import StartApplication, StartEnvoy

HOST = "shop.example.com"
CHOSEN = {MANUAL.header: MANUAL.value.value}


@pytest.fixture
async def shop(application: StartApplication) -> ServiceTraffic:
    """v1 with all traffic, and v2 on its way."""
    of = service(routes=(Route("/"), Route("/exact", exact=True)), manual_routing=MANUAL)
    old, new = (await application("v1")).address, (await application("v2")).address
    return ServiceTraffic(of, (backend(1, old, weight=100), backend(2, new)), preview=2, candidate=2)


async def test_the_header_leads_to_the_candidate(
    shop: ServiceTraffic, envoy: StartEnvoy, tmp_path: Path
) -> None:
    async with serving(envoy, tmp_path, shop) as client:
        for path, method in (("/", "GET"), ("/", "POST"), ("/exact", "GET")):
            assert await client.ask(path, HOST, method=method, **CHOSEN) == (200, "v2")
            assert await client.ask(path, HOST, method=method) == (200, "v1")
        for wrong in ("", "1", MANUAL.value.value.upper(), f"{MANUAL.value.value}x"):
            assert await client.ask("/", HOST, **{MANUAL.header: wrong}) == (200, "v1")
        figures = await client.proxy.admin.stats(r"^cluster\..*upstream_rq_total")
        assert figures["cluster.bluegreen/shop/2/manual.upstream_rq_total"] == 3
        assert figures["cluster.bluegreen/shop/2.upstream_rq_total"] == 0, (
            "the revision's figures are its own"
        )


@pytest.mark.parametrize("manual", [None, MANUAL])
async def test_without_a_candidate_or_unless_configured_it_means_nothing(
    *, manual: ManualRouting | None, shop: ServiceTraffic, envoy: StartEnvoy, tmp_path: Path
) -> None:
    wanted = replace(
        shop,
        service=replace(shop.service, manual_routing=manual),
        candidate=None if manual else 2,
    )
    async with serving(envoy, tmp_path, wanted) as client:
        assert await client.ask("/", HOST, **CHOSEN) == (200, "v1")
