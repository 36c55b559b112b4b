"""The instances that nobody but whoever writes a file can end: those that were let go stay unused. Pure.

Their ids stay in `gone`, which is durable: the file may go on listing them, and after a restart it is all
that there is to read.
"""

from __future__ import annotations

from dataclasses import replace

from bluegreen.model.deployment import Deployment
from bluegreen.model.provisioning import EndpointsFile


def is_listed(deployment: Deployment) -> bool:
    """Whether its instances are what a file lists."""
    return deployment.provisioning is not None and isinstance(deployment.provisioning.source, EndpointsFile)


def set_aside(deployment: Deployment) -> Deployment:
    """The deployment without the instances that were let go before; with them, where there are too few."""
    if not is_listed(deployment):
        return deployment
    unused = set(deployment.gone) - set(deployment.leaving)
    used = tuple(each for each in deployment.instances if each.id not in unused)
    if len(used) >= deployment.capacity + len(deployment.leaving):
        return replace(deployment, instances=used)
    return replace(deployment, gone=tuple(each for each in deployment.gone if each in deployment.leaving))
