"""`bluegreen serve`: the control plane as a process."""

from __future__ import annotations

import asyncio
import logging
import signal

from bluegreen.admin.service_file import BadServiceFile, read_service_file
from bluegreen.app.control_plane import control_plane, working
from bluegreen.app.settings import Settings
from bluegreen.model.catalogue import Catalogue
from bluegreen.model.errors import InvalidInput
from bluegreen.telemetry.logs import LogFormat, configure_logging
from xds_server import tune_memory

log = logging.getLogger(__name__)


def main_serve(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; the exit code. Raises BluegreenError where it cannot begin."""
    configure_logging(settings.log_level, LogFormat(settings.log_format))
    catalogue = _read(settings)
    asyncio.run(serve(settings, catalogue))
    return 0


async def serve(settings: Settings, catalogue: Catalogue | None = None) -> None:
    """Run the control plane until the process is asked to stop; `catalogue`, if any, is applied first."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_, stop.set)
    async with control_plane(settings, catalogue) as running, working(tune_memory(running.fleet)):
        log.info("state: %s", settings.database.absolute())
        log.info("proxies connect to %s, operators to %s", running.xds, running.admin)
        log.info("metrics at http://%s/metrics", running.http)
        await stop.wait()
        log.info("stopping; the proxies go on with what they have")


def _read(settings: Settings) -> Catalogue | None:
    if settings.service_file is None:
        return None
    try:
        text = settings.service_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Cannot read the service file {settings.service_file}: {error}.") from error
    try:
        return read_service_file(text)
    except BadServiceFile as bad:
        mistakes = (
            f"{settings.service_file}:{each.line}: {each.path}: {each.message}" for each in bad.problems
        )
        raise InvalidInput("\n".join(mistakes)) from bad
