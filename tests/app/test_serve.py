"""`bluegreen serve` as a process: what it says when it cannot, and when it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.processes import ChildProcesses, Command

PORTS = ("--xds-listen", "--admin-listen", "--http-listen")


def serve_command(database: Path, **addresses: str) -> tuple[str, ...]:
    flags = dict.fromkeys(PORTS, "127.0.0.1:0")
    flags |= {f"--{name}-listen": address for name, address in addresses.items()}
    return (
        *(sys.executable, "-m", "bluegreen", "serve", f"--database={database}"),
        *(f"{flag}={address}" for flag, address in flags.items()),
    )


async def run(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.parametrize("name", ["xds", "admin", "http"])
async def test_a_port_in_use_is_named_with_the_flag_that_changes_it(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = await run(*serve_command(tmp_path / "b.db", **{name: address}))
    assert code == 2
    assert f"Cannot listen on {address}" in said
    assert f"--{name}-listen" in said
    assert "Traceback" not in said


async def test_a_second_control_plane_on_the_same_database_is_refused(
    children: ChildProcesses, tmp_path: Path
) -> None:
    http = f"127.0.0.1:{free_port()}"
    child = await children.start(Command("first", serve_command(tmp_path / "b.db", http=http)))
    await child.expect(ready(http), 20)
    code, said = await run(*serve_command(tmp_path / "b.db"))
    assert code == 5
    assert str(tmp_path / "b.db") in said
    assert "Traceback" not in said


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_stops_well(
    children: ChildProcesses, tmp_path: Path, signal_: signal.Signals
) -> None:
    http = f"127.0.0.1:{free_port()}"
    child = await children.start(Command("serve", serve_command(tmp_path / "b.db", http=http)))
    await child.expect(ready(http), 20)
    child.send(signal_)
    async with asyncio.timeout(10):
        assert await child.exited() == 0
    assert "Traceback" not in "\n".join(child.last_lines(50))


async def test_a_service_file_with_a_mistake_stops_it_before_it_serves(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text(
        "gateways: {edge: {listen: 127.0.0.1:1, preview: 127.0.0.1:2}}\nservices:\n  shop: {gatways: []}\n"
    )
    code, said = await run(*serve_command(tmp_path / "b.db"), f"--service-file={file}")
    assert code == 2
    assert "services.shop.gatways" in said
    assert "3" in said, "the line"


async def ready(address: str) -> None:
    async with aiohttp.ClientSession() as client:
        while True:
            try:
                async with client.get(f"http://{address}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
