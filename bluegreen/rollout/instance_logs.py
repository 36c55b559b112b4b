"""What an instance has written, whether it is there or gone."""

from __future__ import annotations

from collections.abc import Sequence

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import UnknownName
from bluegreen.model.pool import Provisioner
from bluegreen.rollout.pools import pool_of


async def read_log(
    provisioner: Provisioner,
    aggregate: ServiceAggregate,
    history: Sequence[Deployment],
    asked: tuple[str, int],
) -> str:
    """The last lines of an instance: `asked` for by its name, and how many. Of one that is gone while its
    log is kept, which is where it says why its version has failed; `history` is of all deployments, newest
    first. Raises UnknownName, ProvisioningFailed."""
    instance, lines = asked
    known = {each.id: d for d in aggregate.deployments for each in d.instances}
    if deployment := known.get(instance):
        return await provisioner.log(pool_of(aggregate.name, deployment), instance, lines)
    for deployment in history:
        if deployment.provisioning is None:
            continue
        if text := await provisioner.log(pool_of(aggregate.name, deployment), instance, lines):
            return text
    raise UnknownName("instance", instance, known)
