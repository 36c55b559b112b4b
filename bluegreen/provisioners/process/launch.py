"""From an instance to what is run for it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from bluegreen.model.errors import ProvisioningFailed
from bluegreen.model.provisioning import ProcessTemplate
from bluegreen.provisioners.process import launcher
from bluegreen.provisioners.process.command_line import arguments, environment, refuse_too_long
from bluegreen.provisioners.process.record import InstanceRecord
from bluegreen.provisioners.process.running_process import Launch
from bluegreen.provisioners.process.state_directory import StateDirectory


def launch(
    template: ProcessTemplate,
    record: InstanceRecord,
    directory: StateDirectory,
    inherited: Mapping[str, str],
) -> Launch:
    """Raises ProvisioningFailed for what no system would run."""
    command, variables = arguments(template, record), environment(template, record, inherited)
    refuse_too_long([*command, *(f"{name}={value}" for name, value in variables.items())])
    claim, own = directory.claim_path(record), directory.record_path(record.id)
    script = (sys.executable, "-I", "-S", launcher.__file__, str(claim), str(own))
    return Launch(
        (*script, template.directory or "", *command), variables, directory.log_path(record.key, record.id)
    )


def refuse_missing(template: ProcessTemplate, path: str) -> None:
    """Raises ProvisioningFailed where there is no such program: said at once, and not after some tries.
    `path` is the PATH that it is looked for in."""
    if not template.command:
        raise ProvisioningFailed("No command is given for the processes.")
    program, directory = template.command[0], Path(template.directory or ".")
    if not directory.is_dir():
        raise ProvisioningFailed(f"There is no directory {directory} to start processes in.")
    where = str(directory / program) if os.sep in program else program
    if "{" not in program and shutil.which(where, path=path) is None:
        raise ProvisioningFailed(f"There is no program {program[:300]!r} that could be started.")
