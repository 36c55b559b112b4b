"""A program that answers what a file says, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bluegreen.model.pool import Pool
from bluegreen.model.provisioning import ProvisionerCommand
from bluegreen.provisioners.command.command_provisioner import CommandProvisioner

POLLED = 0.1
"""Seconds between two askings."""


class Program:
    """`answers` and `does` take effect with its next run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = directory / "program"
        self.answers()

    def answers(self, *instances: tuple[str, str, str]) -> None:
        """Each is an id, an endpoint and a state."""
        entries = [{"id": name, "endpoint": where, "state": state} for name, where, state in instances]
        self.says(json.dumps({"instances": entries}))

    def says(self, text: str) -> None:
        (self.directory / "answer.new").write_text(text)
        (self.directory / "answer.new").rename(self.directory / "answer")
        self.does(f"cat {self.directory}/answer")

    def does(self, script: str) -> None:
        """Shell; `$1` is the verb."""
        new = self.directory / "program.new"
        keep = f'cat > {self.directory}/$1.json; echo "$1" >> {self.directory}/verbs'
        new.write_text(f"#!/bin/sh\n{keep}\n{script}\n")
        new.chmod(0o755)
        new.rename(self._file)

    def asked(self, verb: str) -> Any:
        """What the last question with this verb was."""
        return json.loads((self.directory / f"{verb}.json").read_text())

    def verbs(self) -> list[str]:
        return (self.directory / "verbs").read_text().split()

    def pool(self, capacity: int = 2, leaving: tuple[str, ...] = (), timeout: float = 10.0) -> Pool:
        source = ProvisionerCommand((str(self._file),), timeout, POLLED)
        return Pool("shop", "green", 7, "v2", source, capacity, leaving)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
async def provisioner() -> AsyncIterator[CommandProvisioner]:
    async with CommandProvisioner.open() as provisioner:
        yield provisioner
