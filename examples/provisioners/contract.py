"""What every provisioner program does: one question in, one answer out (docs/environments.md)."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Protocol


@dataclass(frozen=True)
class Wanted:
    """The question: `capacity` instances beside those that leave."""

    service: str
    environment: str
    version: str
    revision: int
    capacity: int
    leaving: list[str]

    @property
    def pool(self) -> str:
        return f"{self.service}-{self.revision}"

    def goes(self, instance: str) -> bool:
        """Whether `stop` means this one."""
        return self.capacity == 0 or instance in self.leaving

    def missing(self, present: list[str]) -> int:
        """How many `up` has to start where these are present."""
        staying = [each for each in present if each not in self.leaving]
        return max(0, self.capacity - len(staying))


@dataclass(frozen=True)
class Instance:
    """A part of the answer; `since` in seconds since the epoch."""

    id: str
    endpoint: str
    state: str
    note: str = ""
    since: float | None = None


class Provisioner(Protocol):
    def up(self, wanted: Wanted) -> None: ...

    def stop(self, wanted: Wanted) -> None: ...

    def endpoints(self, wanted: Wanted) -> list[Instance]: ...


def parser(description: str | None) -> argparse.ArgumentParser:
    """To which the program adds its own options; the verb comes last."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("verb", choices=["up", "endpoints", "stop"])
    return made


def answer(provisioner: Provisioner, verb: str) -> None:
    """Do what is asked, and tell what there is then; where that fails, end with status 1 and say why on
    standard error, the end of which is shown to the operator."""
    question = json.load(sys.stdin)
    question.pop("instances")
    wanted = Wanted(**question)
    try:
        if verb == "up":
            provisioner.up(wanted)
        elif verb == "stop":
            provisioner.stop(wanted)
        instances = [asdict(each) for each in provisioner.endpoints(wanted)]
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(str(error))
    told = [{key: value for key, value in each.items() if value is not None} for each in instances]
    print(json.dumps({"instances": told}))
