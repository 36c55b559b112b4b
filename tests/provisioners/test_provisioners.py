"""All provisioners as one: each pool is asked of the one that its source names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import Pool
from bluegreen.model.provisioning import EndpointsFile, ProcessTemplate, ProvisionerCommand, Source
from bluegreen.provisioners.provisioners import Provisioners
from tests.support.unprovided import Unprovided


def _pool(service: str, source: Source, capacity: int = 1) -> Pool:
    return Pool(service, "blue", 1, "v1", source, capacity)


async def test_each_pool_has_the_provisioner_of_its_source(tmp_path: Path) -> None:
    file = tmp_path / "endpoints"
    file.write_text("- 127.0.0.1:8001\n")
    answer = '{"instances": [{"id": "one", "endpoint": "127.0.0.1:8002", "state": "up"}]}'
    listed = _pool("listed", EndpointsFile(str(file)))
    asked = _pool("asked", ProvisionerCommand(("/bin/echo", "-n", answer, "#")))
    local = _pool("local", ProcessTemplate(("true",)))
    told: list[tuple[str, int]] = []

    async with Provisioners.open(Unprovided()) as provisioners:
        provisioners.on_change(told.append)
        await provisioners.up(listed)
        assert [each.id for each in await provisioners.instances(listed)] == ["127.0.0.1:8001"]
        with pytest.raises(ProvisioningFailed, match=r"asked v1 .*: no JSON"):  # echo adds `# up`
            await provisioners.up(asked)
        with pytest.raises(ProvisioningFailed, match="by process"):
            await provisioners.up(local)
        assert await provisioners.log(listed, "127.0.0.1:8001", 10) == ""
        await provisioners.stop(listed)
    assert told == [("listed", 1)]
