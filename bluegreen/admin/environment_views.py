"""Environments as the API shows them: their capacity, their instances, and how they differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.pool import InstanceState
from bluegreen.rollout import pools
from bluegreen.rollout.environments import drift, resting_way_back

HANDED_IN = "hand"
"""What provides instances that nothing here starts or stops."""

UNKNOWN = -1


def capacity_view(deployment: Deployment) -> pb.Capacity:
    provisioning = deployment.provisioning
    if provisioning is None:
        given = len(deployment.endpoints)
        return pb.Capacity(provided_by=HANDED_IN, wanted=given, full=given, up=UNKNOWN)
    staying = [each for each in deployment.instances if each.id not in deployment.leaving]
    return pb.Capacity(
        provided_by=provisioning.source.type,
        wanted=deployment.capacity,
        full=deployment.full_capacity,
        up=sum(each.state is InstanceState.UP for each in staying),
        leaving=len(deployment.leaving),
        failed=sum(each.state is InstanceState.FAILED for each in staying),
        summary=pools.describe(deployment),
    )


def instances_view(deployment: Deployment) -> list[pb.Instance]:
    if deployment.provisioning is None:
        return [pb.Instance(endpoint=str(each)) for each in deployment.endpoints]
    return [
        pb.Instance(
            id=each.id,
            endpoint=str(each.endpoint),
            state=each.state,
            since=each.since,
            restarts=each.restarts,
            note=each.note,
            leaving=each.id in deployment.leaving,
        )
        for each in deployment.instances
    ]


def disparities_view(aggregate: ServiceAggregate) -> Iterable[pb.Disparity]:
    for each in drift(aggregate):
        yield pb.Disparity(what=each.what, active=each.active, other=each.other)


def rollback_scale_up(aggregate: ServiceAggregate) -> pb.ScaleUp | None:
    resting = resting_way_back(aggregate)
    if resting is None:
        return None
    return pb.ScaleUp(
        deployment_revision=resting.revision,
        from_instances=resting.capacity,
        to_instances=resting.full_capacity,
    )
