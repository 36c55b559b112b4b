"""The directory where instances are kept, so that they outlive us: one file an instance, and its claims.

lock                 held by the control plane that uses the directory
instances/ID.json    the record
instances/ID.N       the claim of its start number N: which process runs it, or that none ever will
logs/SERVICE-REVISION-ID.log, .log.1
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bluegreen.model.errors import InvalidInput, Refused
from bluegreen.provisioners.process import instance_log
from bluegreen.provisioners.process.identity import Identity
from bluegreen.provisioners.process.record import BrokenRecord, InstanceRecord

T = TypeVar("T")
R = TypeVar("R")

VOID = "void\n"

LOCK_PATIENCE = 2.0
"""Seconds. A control plane that was killed in the middle of a start leaves the lock to the new process until
that has become another program."""

_CLAIM = re.compile(r"(?P<id>[0-9a-f]+)\.[0-9]+")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What a control plane before us has left: an instance, and the process that claimed its newest start.
    None: none has, and none can any more."""

    record: InstanceRecord
    identity: Identity | None


class StateDirectory:
    """What is in it, and how it changes. A change is on the disk when the call returns; all raise OSError."""

    def __init__(self, path: Path, disk: ThreadPoolExecutor) -> None:
        self._logs = path / "logs"
        self._instances = path / "instances"
        self._disk = disk
        for each in (path, self._logs, self._instances):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[StateDirectory]:
        """Make and lock it. Raises Refused where another control plane uses it, InvalidInput where this one
        may not."""
        # One thread, joined at the end: changes keep their order, and none comes after we have left.
        with ThreadPoolExecutor(1, "process-state") as disk:
            try:
                directory = cls(path.absolute(), disk)
                lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise InvalidInput(
                    f"The state of the processes cannot be kept in {path}: {error.strerror}. Name a directory"
                    " that this process may write to."
                ) from error
            try:
                await _hold(lock, path)
                yield directory
            finally:
                disk.shutdown()
                os.close(lock)

    def load(self) -> list[Found]:
        """All instances, the oldest first. A record that cannot be read is left out, and told."""
        self._sweep()
        records = []
        for path in self._instances.glob("*.json"):
            try:
                records.append(InstanceRecord.decode(path.read_text(), path.stem))
            except (BrokenRecord, UnicodeDecodeError) as error:
                log.error("%s cannot be read, its process is not looked after: %s", path, error)
        records.sort(key=lambda each: (each.created, each.id))
        return [Found(each, self._settle_claim(each)) for each in records]

    def record_path(self, instance: str) -> Path:
        return self._instances / f"{instance}.json"

    def claim_path(self, record: InstanceRecord) -> Path:
        """Of its newest start."""
        return self._instances / f"{record.id}.{record.starts}"

    def log_path(self, key: tuple[str, int], instance: str) -> Path:
        service, revision = key
        return self._logs / f"{service}-{revision}-{instance}.log"

    async def save(self, record: InstanceRecord) -> None:
        await self._on_disk(self._write, record)

    async def remove(self, record: InstanceRecord) -> None:
        await self._on_disk(self._unlink, record)

    async def drop_claim(self, record: InstanceRecord) -> None:
        """Its process has ended. A void claim stays: the launcher may be on its way still."""
        await self._on_disk(self._drop_claim, record)

    async def tend_logs(self, records: Iterable[InstanceRecord]) -> None:
        """Cut those that are full, and drop the oldest of the instances that are none of these."""
        await self._on_disk(self._tend, {self.log_path(each.key, each.id) for each in records})

    async def tail(self, log: Path, lines: int) -> str:
        """The end of a log, which nobody cuts meanwhile."""
        return await self._on_disk(lambda path: instance_log.tail(path, lines), log)

    async def _on_disk(self, work: Callable[[T], R], subject: T) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, subject)

    def _write(self, record: InstanceRecord) -> None:
        path = self.record_path(record.id)
        draft = path.with_suffix(".draft")
        with open(draft, "w", encoding="utf-8", opener=_for_us_alone) as file:
            file.write(record.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync(self._instances)

    def _unlink(self, record: InstanceRecord) -> None:
        """First the record: a launcher on its way looks for it once it has made its claim."""
        self.record_path(record.id).unlink(missing_ok=True)
        for path in self._instances.glob(f"{record.id}.*"):
            path.unlink(missing_ok=True)

    def _settle_claim(self, record: InstanceRecord) -> Identity | None:
        claim = self.claim_path(record)
        if not claim.exists():  # else nothing is written: what runs is taken up on a full disk, too
            draft = claim.with_suffix(".draft")
            draft.write_text(VOID)
            with suppress(FileExistsError):
                claim.hardlink_to(draft)
            draft.unlink()
        return Identity.parse(claim.read_text())

    def _drop_claim(self, record: InstanceRecord) -> None:
        claim = self.claim_path(record)
        with suppress(FileNotFoundError):  # it ended before it could claim anything
            if claim.read_text() != VOID:
                claim.unlink()

    def _tend(self, current: set[Path]) -> None:
        for log in current:
            instance_log.cut(log)
        instance_log.prune(self._logs, current)

    def _sweep(self) -> None:
        """Drop what a kill has left half-done: drafts, and claims of instances that are gone."""
        paths = list(self._instances.iterdir())
        known = {path.stem for path in paths if path.suffix == ".json"}
        for path in paths:
            claim = _CLAIM.fullmatch(path.name)
            if path.suffix != ".json" and (claim is None or claim["id"] not in known):
                path.unlink(missing_ok=True)


async def _hold(lock: int, path: Path) -> None:
    deadline = asyncio.get_running_loop().time() + LOCK_PATIENCE
    while not _locks(lock):
        if asyncio.get_running_loop().time() > deadline:
            raise Refused(
                f"The processes of {path} are looked after by another control plane.",
                "Stop that one first, or name another directory.",
            )
        await asyncio.sleep(LOCK_PATIENCE / 100)


def _locks(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(directory: Path) -> None:
    """Make the names in it durable (fsync(2))."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
