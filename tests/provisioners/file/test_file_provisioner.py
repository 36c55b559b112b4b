"""The provisioner that watches a file: real files, written well and badly."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.pool import Instance, InstanceState, Pool
from bluegreen.model.provisioning import EndpointsFile
from bluegreen.provisioners.file.endpoints_path import MAXIMUM_FILE
from bluegreen.provisioners.file.file_provisioner import SETTLE, FileProvisioner
from tests.provisioners.news import News, ids

FIRST, SECOND = "127.0.0.1:8001", "127.0.0.1:8002"
POLLED = 0.1


@pytest.fixture
async def provisioner() -> AsyncIterator[FileProvisioner]:
    async with FileProvisioner.open() as provisioner:
        yield provisioner


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop-green.yaml"


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return _pool(f"{tmp_path}/{{service}}-{{environment}}.yaml")


def _pool(path: str, *, version: str = "v2", capacity: int = 2) -> Pool:
    return Pool("shop", "green", 7, version, EndpointsFile(path, POLLED), capacity)


@pytest.mark.parametrize(
    "text",
    [
        f"- {FIRST}\n- {SECOND}\n",
        f"# made by hand\nendpoints:\n  - {FIRST}\n  - '{SECOND}'\n",
        json.dumps([FIRST, SECOND]),
        json.dumps({"endpoints": [FIRST, SECOND]}, indent=2),
        f"--- [{FIRST}, {SECOND}]",
    ],
)
async def test_what_it_lists(provisioner: FileProvisioner, pool: Pool, file: Path, text: str) -> None:
    file.write_text(text)
    await provisioner.up(pool)
    first, second = await provisioner.instances(pool)
    assert first == Instance(FIRST, Endpoint("127.0.0.1", 8001), InstanceState.UP, first.since)
    assert (second.id, second.state) == (SECOND, InstanceState.UP)
    assert first.since > 0


async def test_one_replaced_and_one_written_in_place(
    provisioner: FileProvisioner, pool: Pool, file: Path
) -> None:
    news = News(provisioner)
    await provisioner.up(pool)
    assert ids(await provisioner.instances(pool)) == []  # no file yet

    file.write_text(f"- {FIRST}\n")
    (first,) = await news.until(pool, bool)
    new = file.with_suffix(".new")
    new.write_text(f"- {SECOND}\n- {FIRST}\n")
    new.replace(file)
    instances = await news.until(pool, lambda all_: len(all_) == 2)
    assert ids(instances) == [SECOND, FIRST]
    assert instances[1] == first  # it is there since then

    # Of the same length, in the same place, and with the same times.
    before = file.stat()
    with file.open("r+") as open_file:
        open_file.write(f"- {SECOND.replace('8002', '8003')}")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    await news.until(pool, lambda all_: ids(all_) == ["127.0.0.1:8003", FIRST])
    file.write_text("[]")
    await news.until(pool, lambda all_: not all_)
    assert len(news.told) == 5


async def test_how_each_is(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    news = News(provisioner)
    file.write_text(f"- {FIRST}\n- {{endpoint: '{SECOND}', health: healthy}}\n")
    await provisioner.up(pool)
    before = await provisioner.instances(pool)
    assert [each.state for each in before] == [InstanceState.UP, InstanceState.UP]
    for health, state in (("unhealthy", InstanceState.UNHEALTHY), ("draining", InstanceState.DRAINING)):
        file.write_text(json.dumps({"endpoints": [FIRST, {"endpoint": SECOND, "health": health}]}))
        first, second = await news.until(pool, lambda all_, state=state: all_[1].state is state)
        assert first == before[0]
        assert (second.id, second.since > before[1].since) == (SECOND, True)
    file.write_text(f"- {FIRST}\n- {SECOND}\n")
    await news.until(pool, lambda all_: all_[1].state is InstanceState.UP)


async def test_nothing_new_is_not_told(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    news = News(provisioner)
    file.write_text(f"- {FIRST}\n")
    await provisioner.up(pool)
    file.write_text(f"endpoints: [{FIRST}]")
    await asyncio.sleep(5 * POLLED + 2 * SETTLE)  # nothing tells of what does not happen
    assert len(news.told) == 1


async def test_one_that_is_being_written_is_waited_for(
    provisioner: FileProvisioner, pool: Pool, file: Path
) -> None:
    """Half of it would be a list as well, of other endpoints."""
    seen = []
    provisioner.on_change(lambda _: seen.append(True))
    file.write_text(f"- {FIRST}\n")
    await provisioner.up(pool)
    with file.open("w") as open_file:
        for part in ("- 127.0.", "0.1:80", "01\n- 127.0.0.1", ":80", "02\n"):
            open_file.write(part)
            open_file.flush()
            await asyncio.sleep(SETTLE / 2)
            assert ids(await provisioner.instances(pool)) == [FIRST]
    news = News(provisioner)
    assert ids(await news.until(pool, lambda all_: len(all_) == 2)) == [FIRST, SECOND]
    assert len(seen) == 2


WRONG = [
    ("", "the file is empty"),
    ("# later\n", "the file is empty"),
    ("[127.0.0.1:8001, 127.0", "no YAML: line "),
    (f"- {FIRST}\n\t- x\n", "no YAML: line 2"),
    ("- \x07\n", "no YAML"),
    ("127.0.0.1:8001", "expected a list of HOST:PORT .* line 1 is"),
    (f"hosts: [{FIRST}]", "expected a list .* line 1"),
    (f"endpoints: [{FIRST}]\nmore: 1\n", "expected a list .* line 2"),
    (f"- {FIRST}\n- [x]\n", "expected a list .* line 2"),
    ("- &a x\n- *a\n", "expected a list .* line 2"),
    (f"- {FIRST}\n---\n- {SECOND}\n", "expected a list .* line 2"),
    ("[" * 50_000, "expected a list"),
    (f"- {FIRST}\n- 127.0.0.1\n", r"endpoints\[1\]: '127.0.0.1' is no address"),
    ("- {health: healthy}\n", r"endpoints\[0\].endpoint: expected a text"),
    (f"- {{endpoint: '{FIRST}', health: sick}}\n", r"endpoints\[0\].health: 'sick' is none of healthy, unh"),
    (f"- {{endpoint: '{FIRST}', weight: 5}}\n", "expected a list .* line 1"),
    (f"- {{endpoint: '{FIRST}', health: {{}}}}\n", "expected a list .* line 1"),
    (f"- {{endpoint: '{FIRST}', endpoint: '{SECOND}'}}\n", "expected a list .* line 1"),
    (f"- {FIRST}\n- {{endpoint: '{FIRST}'}}\n", rf"endpoints\[1\]: {FIRST} stands there twice"),
    ("- Web:80\n- web:80\n", r"endpoints\[1\]: web:80 stands there twice"),
    (f"- {FIRST}\n- {FIRST}\n", rf"endpoints\[1\]: {FIRST} stands there twice"),
    ("- nosuch.invalid:80\n", "'nosuch.invalid' cannot be resolved here"),
    ("- a:1\n" * 10_001, "10001 are too many"),
    ("#" * (MAXIMUM_FILE + 1), "larger than 1024 KiB"),
]


@pytest.mark.parametrize(("text", "complaint"), WRONG, ids=range(len(WRONG)))
async def test_what_cannot_be_read(
    provisioner: FileProvisioner, pool: Pool, file: Path, text: str, complaint: str
) -> None:
    """Where nothing was read before it is a failure, of which nothing is left once the file is right."""
    file.write_text(text)
    with pytest.raises(ProvisioningFailed, match=rf"(?s)shop-green.yaml: .*{complaint}"):
        await provisioner.up(pool)
    with pytest.raises(ProvisioningFailed, match=complaint):
        await provisioner.instances(pool)
    file.write_text(f"- {FIRST}\n")
    await provisioner.up(pool)
    assert ids(await provisioner.instances(pool)) == [FIRST]


async def test_what_was_read_before_holds(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    news = News(provisioner)
    file.write_text(f"- {FIRST}\n")
    await provisioner.up(pool)
    file.write_text("- 127.0.0.1\n")
    (kept,) = await news.until(pool, lambda all_: bool(all_[0].note))
    assert (kept.id, kept.state) == (FIRST, InstanceState.UP)
    assert kept.note.startswith(f"{file}: endpoints[0]: '127.0.0.1' is no address")
    assert len(news.told) == 2


async def test_one_that_is_gone_again(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    news = News(provisioner)
    file.write_text(f"- {FIRST}\n")
    await provisioner.up(pool)
    file.unlink()
    (kept,) = await news.until(pool, lambda all_: bool(all_[0].note))
    assert kept.id == FIRST
    assert "it is gone" in kept.note
    file.mkdir()
    await news.until(pool, lambda all_: "it is gone" not in all_[0].note)
    file.rmdir()
    await news.until(pool, lambda all_: "it is gone" in all_[0].note)
    file.write_text(f"- {FIRST}\n")
    (back,) = await news.until(pool, lambda all_: not all_[0].note)
    assert back.since == kept.since


async def test_what_is_no_plain_file(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    os.mkfifo(file)
    async with asyncio.timeout(5):
        with pytest.raises(ProvisioningFailed, match="it is no plain file"):
            await provisioner.up(pool)
    file.unlink()
    file.mkdir()
    with pytest.raises(ProvisioningFailed, match=r"it is no plain file|Is a directory"):
        await provisioner.up(pool)


async def test_bytes_that_are_no_text(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    file.write_bytes(b"- \xff\xfe\n")
    with pytest.raises(ProvisioningFailed, match="no UTF-8: byte 3"):
        await provisioner.up(pool)


async def test_its_path(provisioner: FileProvisioner, tmp_path: Path) -> None:
    (tmp_path / "shop-green-v2-7").write_text(f"- {FIRST}")
    pool = _pool(f"{tmp_path}/{{service}}-{{environment}}-{{version}}-{{revision}}")
    assert ids(await provisioner.instances(pool)) == [FIRST]


@pytest.mark.parametrize("version", ["..", "../../etc/passwd", "a/b", "a\0b"])
async def test_a_version_does_not_lead_elsewhere(
    provisioner: FileProvisioner, tmp_path: Path, version: str
) -> None:
    with pytest.raises(ProvisioningFailed, match="cannot be a part of the path"):
        await provisioner.up(_pool(f"{tmp_path}/{{version}}/endpoints", version=version))


async def test_a_pool_that_is_over_is_forgotten(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    news = News(provisioner)
    file.write_text(f"- {FIRST}\n")
    await provisioner.up(pool)
    await provisioner.stop(pool)  # nothing leaves: nothing happens
    await provisioner.stop(replace(pool, capacity=0))
    file.write_text(f"- {SECOND}\n")
    await asyncio.sleep(5 * POLLED + 2 * SETTLE)  # nothing tells of what does not happen
    assert len(news.told) == 1


async def test_what_leaves_stays_listed(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    """Nothing but the file can stop it."""
    file.write_text(f"- {FIRST}\n- {SECOND}\n")
    await provisioner.up(pool)
    half = replace(pool, capacity=1, leaving=(SECOND,))
    await provisioner.stop(half)
    await provisioner.up(half)
    assert ids(await provisioner.instances(half)) == [FIRST, SECOND]


async def test_a_thousand_are_read_in_no_time(provisioner: FileProvisioner, pool: Pool, file: Path) -> None:
    file.write_text("".join(f"- 10.0.{n // 250}.{n % 250}:8080\n" for n in range(1000)))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await provisioner.up(pool)
    assert loop.time() - began < 2
    assert len(await provisioner.instances(pool)) == 1000
