"""What can go wrong, split by who has to do something about it.

    BluegreenError
    ├── InvalidInput          the caller's words are wrong: correct and repeat
    │   └── UnknownName       no such service, proxy, ...; says which there are
    ├── Refused               illegal in the present state; says why and what is possible
    │   └── IllegalTransition no such entry in the state machine's table
    ├── Conflict              somebody else was faster: look, and try again
    │   └── Overtaken         what the sender saw when it decided is so no more
    ├── ProvisioningFailed    instances could not be had, or not be stopped; says what failed, in its words
    └── NotServing            the control plane has not loaded its state, or cannot be reached

Every message is a sentence for a person: what happened, where, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable


class BluegreenError(Exception):
    """The root of all errors that bluegreen raises on purpose."""


class InvalidInput(BluegreenError):
    """The request itself is wrong, in whatever state it arrives."""


class UnknownName(InvalidInput):
    """A name that stands for nothing here."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none yet"
        super().__init__(f"There is no {kind} {name!r}. Known: {names}.")
        self.kind, self.name = kind, name


class Refused(BluegreenError):
    """Right in itself, but illegal now. `reason` says why, `possible` what can be done instead."""

    def __init__(self, reason: str, possible: str = "") -> None:
        gap = "" if reason.endswith("\n") else " "  # after a table, on a line of its own
        super().__init__(f"{reason}{gap}{possible}".strip())
        self.reason, self.possible = reason, possible


class IllegalTransition(Refused):
    """The state machine has no entry for this event in this state."""


class Conflict(BluegreenError):
    """The aggregate changed between the read and the write that depended on it."""


class Overtaken(Conflict):
    """The command was decided on a sight that is old by now: nothing was done. `stand` says how it is now,
    `possible` what can be done."""

    def __init__(self, stand: str, possible: str, meanwhile: str = "") -> None:
        super().__init__(" ".join(filter(None, ["Not as you saw it.", meanwhile, stand, possible])))
        self.stand, self.possible = stand, possible


class ProvisioningFailed(BluegreenError):
    """What provides the instances has failed."""


class NotServing(BluegreenError):
    """The state is not loaded yet, or the control plane is out of reach."""
