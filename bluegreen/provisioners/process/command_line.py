"""What a process is started with: its arguments and its environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.provisioners.process.record import InstanceRecord

INSTANCE = "BLUEGREEN_INSTANCE"
"""The variable by which all processes of an instance are known."""

MAXIMUM_ARGUMENT = 131_071
"""Bytes of one argument or variable: Linux takes no more (execve(2), MAX_ARG_STRLEN)."""

MAXIMUM_COMMAND = 524_288
"""Bytes of all arguments and variables together: far below what Linux takes with a stack of 8 MiB."""

# A command may hold other braces, such as those of JSON: only these are ours.
_PLACEHOLDER = re.compile(r"\{(port|version|revision|environment|instance|service)\}")


def arguments(template: ProcessTemplate, record: InstanceRecord) -> tuple[str, ...]:
    """The command of an instance, with its values filled in."""
    values = _values(record)
    return tuple(_PLACEHOLDER.sub(lambda match: values[match[1]], each) for each in template.command)


def environment(
    template: ProcessTemplate, record: InstanceRecord, inherited: Mapping[str, str]
) -> dict[str, str]:
    """All that the process finds in its environment; what is ours wins."""
    values = _values(record)
    port = values.pop("port")
    named = {f"BLUEGREEN_{name.upper()}": value for name, value in values.items()}
    own = {name: secret.value for name, secret in template.environment.items()}
    return {**inherited, **own, **named, "PORT": port}


def refuse_too_long(words: Sequence[str]) -> None:
    """Raises ProvisioningFailed for a command that no system would take, or would not read as it is meant."""
    sizes = [len(word.encode(errors="surrogateescape")) for word in words]
    if any("\0" in word for word in words):
        raise ProvisioningFailed("The command or its environment holds a NUL character.")
    if max(sizes, default=0) > MAXIMUM_ARGUMENT or sum(sizes) > MAXIMUM_COMMAND:
        raise ProvisioningFailed(
            f"The command and its environment have {sum(sizes)} bytes, the longest part {max(sizes)};"
            f" at most {MAXIMUM_COMMAND} and {MAXIMUM_ARGUMENT} can be given."
        )


def _values(record: InstanceRecord) -> dict[str, str]:
    return {
        "port": str(record.port),
        "version": record.version,
        "revision": str(record.revision),
        "environment": record.environment,
        "instance": record.id,
        "service": record.service,
    }
