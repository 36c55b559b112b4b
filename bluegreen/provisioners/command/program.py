"""Asks a program of the user's, once."""

from __future__ import annotations

from collections.abc import Mapping

from bluegreen.model.errors import ProvisioningFailed
from bluegreen.provisioners.command.contract import Verb
from bluegreen.subprocesses.command import CannotStart, Command, CommandRunner, Ended, Question

MAXIMUM_ANSWER = 1024 * 1024
"""Bytes of standard output."""

_LAST_WORDS = 1000
"""Characters of standard error that stand in an error."""


class Program:
    """Runs so many at once; further ones wait for their turn."""

    def __init__(self, commands: CommandRunner, environment: Mapping[str, str]) -> None:
        self._commands = commands
        self._environment = environment

    async def ask(self, arguments: tuple[str, ...], verb: Verb, text: bytes, timeout: float) -> bytes:
        """What it writes to standard output, if it ends with status 0 within `timeout` seconds; else
        ProvisioningFailed, with the last words of standard error. It is killed with all that it has started
        in its process group, also when this is cancelled."""
        question = Question(text, MAXIMUM_ANSWER)
        try:
            ended = await self._commands.run(
                Command((*arguments, verb.value), self._environment, timeout, question)
            )
        except CannotStart as error:
            raise ProvisioningFailed(f"{error}.") from None
        if ended.status == 0 and ended.answer is not None:
            return ended.answer
        last_words = ended.output.strip()[-_LAST_WORDS:]
        raise ProvisioningFailed(f"{_how(ended, timeout)}{': ' if last_words else '.'}{last_words}")


def _how(ended: Ended, timeout: float) -> str:
    if ended.answer is None:
        return f"wrote more than {MAXIMUM_ANSWER // 1024} KiB to standard output, and was killed"
    if ended.status is None:
        return f"not done within {timeout:g} s, and stopped"
    if ended.status < 0:
        return f"ended by signal {-ended.status}"
    return f"exit status {ended.status}"
