"""Commands as tests, hooks and sources: what their exit status says."""

from __future__ import annotations

import signal

from bluegreen.gates.outcome import Outcome
from bluegreen.model.verdict import Verdict
from bluegreen.subprocesses.command import CannotStart, Command, CommandRunner, Ended


async def ask_command(commands: CommandRunner, command: Command) -> Outcome:
    """A test or a hook: 0 passes, anything else fails, and so does one that does not end in time. An error
    where it cannot be started."""
    try:
        ended = await commands.run(command)
    except CannotStart as error:
        return Outcome(Verdict.ERROR, str(error))
    if ended.status == 0:
        return Outcome(Verdict.PASS, "exit status 0", ended.output)
    return Outcome(Verdict.FAIL, _how(ended, command), ended.output)


async def measure_command(commands: CommandRunner, command: Command) -> Outcome:
    """A source: 0 passes, 1 fails; all else, also not to end in time, is an error."""
    try:
        ended = await commands.run(command)
    except CannotStart as error:
        return Outcome(Verdict.ERROR, str(error))
    match ended.status:
        case 0:
            return Outcome(Verdict.PASS, "exit status 0", ended.output)
        case 1:
            return Outcome(Verdict.FAIL, "exit status 1", ended.output)
        case _:
            return Outcome(
                Verdict.ERROR, f"{_how(ended, command)}, which says neither yes nor no", ended.output
            )


def _how(ended: Ended, command: Command) -> str:
    match ended.status:
        case None:
            return f"not done within {command.timeout:g} s, and stopped"
        case status if status < 0:
            return f"ended by {_signal_name(-status)}"
        case status:
            return f"exit status {status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # one of the real-time signals
