"""Runs the commands of the walk in docs/operating.md, and writes down what they say.

    python docs/walk/record.py

It needs bash, curl, an Envoy, and the ports of the walk (9001 to 9004, 9901, 9902, 10000, 10001, 18000 to
18002) on the loopback interface. Between the two marks,

- the lines of a `console` block that begin with `$ ` are commands, one shell for all of them;
- `<!-- $ COMMAND -->` is one that is not shown, such as what starts the instances;
- one that watches or follows is ended by Ctrl-C after some seconds;
- one that ends with another code than 0 stops the recording, unless `echo $?` comes next and shows the code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
PAGE = HERE.parent / "operating.md"
BEGIN, END = "<!-- walk -->\n", "<!-- end of walk -->\n"
WATCHED_FOR = 10
"""Seconds."""

_CODE = "--- the code was"
_BLOCK, _BLOCK_END = "```console\n", "```\n"
_HIDDEN, _HIDDEN_END = "<!-- $ ", " -->\n"
_COMMAND = "$ "
_SHOW_CODE = "echo $?"


class Shell:
    """One bash for all commands; those in the background end with it."""

    def __init__(self, directory: Path) -> None:
        # Ignored here, it would be in all that is started, and Ctrl-C would do nothing.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        ours = {name: value for name, value in os.environ.items() if not name.startswith("BLUEGREEN_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{ours.get('PATH', '')}"
        self._process = subprocess.Popen(
            ("/bin/bash", "--norc"),
            cwd=directory,
            env={**ours, "PATH": path, "WALK": str(HERE), "BLUEGREEN_ACTOR": "anna"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.communicate()

    def run(self, command: str) -> tuple[list[str], int]:
        """What it says, and the code it ends with; the next command finds that in `$?`."""
        commands, said_to_us = self._process.stdin, self._process.stdout
        if commands is None or said_to_us is None:
            raise ValueError("a shell without pipes")  # never: they were asked for
        watched = "--watch" in command or "--follow" in command
        command = f"timeout --foreground -s INT {WATCHED_FOR} {command}" if watched else command
        commands.write(f'{command}\n__code=$?; echo "{_CODE} $__code"; (exit $__code)\n')
        commands.flush()
        said: list[str] = []
        for line in said_to_us:
            before, mark, code = line.partition(_CODE)
            if mark:
                said += [before] if before else []
                return ([*said, "^C"], 0) if watched else (said, int(code))
            said.append(line.rstrip())
        raise SystemExit(f"the shell ended in: {command}")


@dataclass(slots=True)
class Recording:
    """The walk with what its commands say now."""

    shell: Shell
    lines: list[str] = field(default_factory=list)

    def record(self, walk: str) -> str:
        old = iter(walk.splitlines(keepends=True))
        for line in old:
            self.lines.append(line)
            if line.startswith(_HIDDEN):
                command = line.removeprefix(_HIDDEN).removesuffix(_HIDDEN_END)
                _expect_done(command, *self.shell.run(command))
            elif line == _BLOCK:
                self._block(list(_commands(old)))
        return "".join(self.lines)

    def _block(self, commands: list[str]) -> None:
        for number, command in enumerate(commands):
            said, code = self.shell.run(command)
            if _SHOW_CODE not in commands[number + 1 : number + 2]:
                _expect_done(command, said, code)
            self.lines.append(f"{_COMMAND}{command}\n")
            self.lines.extend(f"{line}\n" for line in said)
        self.lines.append(_BLOCK_END)


def _commands(lines: Iterator[str]) -> Iterator[str]:
    """Those of a block, up to its end."""
    for line in lines:
        if line == _BLOCK_END:
            return
        if line.startswith(_COMMAND):
            command = line.removeprefix(_COMMAND)
            while command.endswith("\\\n"):
                command += next(lines)
            yield command.rstrip("\n")
    raise SystemExit("a block does not end")


def _expect_done(command: str, said: list[str], code: int) -> None:
    if code:
        raise SystemExit(f"{command}\nended with {code}:\n" + "\n".join(said))


def record(page: Path) -> None:
    """Write the walk of that page anew."""
    before, begin, rest = page.read_text().partition(BEGIN)
    walk, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} has no walk, or none that ends")
    with tempfile.TemporaryDirectory() as directory, Shell(Path(directory)) as shell:
        walk = Recording(shell).record(walk)
    if directory in walk:
        raise SystemExit("what was said names a directory of this machine")
    page.write_text(f"{before}{begin}{walk}{end}{after}")


if __name__ == "__main__":
    record(PAGE)
