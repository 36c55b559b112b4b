"""A real Envoy keeps a user on one side, and moves it only forward."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import aiohttp
import pytest

from bluegreen.app.demo.envoy_process import EnvoyProcess
from bluegreen.model.steering import Affinity, AffinitySource
from bluegreen.model.traffic import ServiceTraffic
from tests.envoy.translate.embedded import embedded
from tests.envoy.translate.samples import backend, service
from tests.envoy.translate.test_real_envoy import EDGE, PRODUCTION
from tests.support.fixtures import StartApplication, StartEnvoy

PERCENTS = (1, 10, 50, 75, 100)
Ask = Callable[[int, dict[str, str]], Awaitable[str]]


@pytest.fixture
async def start(
    application: StartApplication, envoy: StartEnvoy, tmp_path: Path
) -> Callable[..., Awaitable[EnvoyProcess]]:
    """An Envoy with a service for each percent: NUMBER.example.com gives the candidate that many."""
    old, new = (await application("old")).address, (await application("new")).address

    async def start(affinity: Affinity, *, candidate: int) -> EnvoyProcess:
        return await envoy(
            embedded(EDGE, (at(percent, affinity, candidate) for percent in PERCENTS), tmp_path)
        )

    def at(percent: int, affinity: Affinity, candidate: int) -> ServiceTraffic:
        of = service(f"at-{percent}", domains=(f"{percent}.example.com",), affinity=affinity)
        active = 3 - candidate
        both = (backend(active, old, weight=100 - percent), backend(candidate, new, weight=percent))
        return ServiceTraffic(of, both)

    return start


async def versions(proxy: EnvoyProcess, percent: int, requests: Iterable[dict[str, str]]) -> list[str]:
    """Which version answers each request, given by its headers; twenty at a time."""
    host, port = (await proxy.admin.listeners())[PRODUCTION]
    gate = asyncio.Semaphore(20)

    async def ask(headers: dict[str, str]) -> str:
        async with gate, session.get(f"http://{host}:{port}/", headers=headers) as answer:
            assert answer.status == 200
            return answer.headers["x-version"]

    at = {"host": f"{percent}.example.com"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        return await asyncio.gather(*(ask(at | headers) for headers in requests))


def header(user: int) -> dict[str, str]:
    return {"x-user": f"user-{user}"}


def cookie(user: int) -> dict[str, str]:
    return {"cookie": f"theme=dark; session=user-{user}; visit={user}"}


@pytest.mark.parametrize(
    ("affinity", "identified", "users", "candidate"),
    [
        (Affinity(AffinitySource.HEADER, "x-user"), header, 1000, 2),
        (Affinity(AffinitySource.HEADER, "x-user"), header, 300, 1),
        (Affinity(AffinitySource.COOKIE, "session"), cookie, 300, 2),
    ],
)
async def test_a_user_stays_on_one_side_and_moves_only_forward(
    affinity: Affinity,
    identified: Callable[[int], dict[str, str]],
    users: int,
    candidate: int,
    start: Callable[..., Awaitable[EnvoyProcess]],
) -> None:
    proxy = await start(affinity, candidate=candidate)
    moved: set[int] = set()
    for percent in PERCENTS:
        first, again = [await versions(proxy, percent, map(identified, range(users))) for _ in range(2)]
        assert [user for user in range(users) if first[user] != again[user]] == [], "unstable within a step"
        here = {user for user in range(users) if first[user] == "new"}
        assert moved - here == set(), "moved back"
        assert abs(len(here) / users - percent / 100) < 0.07, (percent, len(here))
        moved = here
    assert len(moved) == users


async def test_who_cannot_be_told_apart_goes_by_chance(
    start: Callable[..., Awaitable[EnvoyProcess]],
) -> None:
    proxy = await start(Affinity(AffinitySource.HEADER, "x-user"), candidate=2)
    answers = await versions(proxy, 50, [{}] * 200)
    assert 50 < answers.count("new") < 150
