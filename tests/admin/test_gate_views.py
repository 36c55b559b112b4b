"""Gates as messages of the API: which of them, and how much of what was printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bluegreen.admin.gate_views import SHOWN, STATUS_OUTPUT, is_approval_wanted
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import CheckKind
from bluegreen.model.rollout import RolloutKind
from bluegreen.model.strategy import Step
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.analysis.streak import Tally
from bluegreen.rollout.analysis.stretch import Stretch
from tests.admin.puppet_operations import STARTED, PuppetOperations
from tests.deployment_store.samples import deployment


async def status(admin: Any) -> pb.ServiceStatus:
    answer: pb.ServiceStatus = await admin.GetStatus(pb.GetStatusRequest(service="shop"))
    return answer


async def test_a_check_is_told_with_what_it_was_taken_on(operations: PuppetOperations, admin: Any) -> None:
    operations.show(operations.shop.with_deployment(deployment(1)))
    operations.open_rollout(RolloutKind.PROMOTE, Step(10), Step(100))
    operations.set_percent(10)
    asked = operations.want(CheckKind.HOOKS, 1, "before-shift")
    (check,) = (await status(admin)).checks
    assert (check.id, check.kind, check.subject, check.verdict) == (1, "hooks", "before-shift", "")
    assert (check.deployment_revision, check.rollout_id, check.step) == (1, 1, 0)
    assert (check.wanted_at, check.finished_at) == (STARTED, 0.0)
    finding = Finding("freeze", Verdict.FAIL, "exit status 1", "no release today", 0.5)
    operations.conclude(asked, Verdict.FAIL, "1 of 1 hooks failed", finding)
    (check,) = (await status(admin)).checks
    assert (check.verdict, check.summary, check.finished_at) == ("fail", "1 of 1 hooks failed", STARTED + 3)
    assert [*check.findings] == [
        pb.Finding(
            name="freeze", verdict="fail", summary="exit status 1", output="no release today", seconds=0.5
        )
    ]


async def test_the_newest_are_shown_and_all_that_are_open(operations: PuppetOperations, admin: Any) -> None:
    operations.show(operations.shop.with_deployment(deployment(2)))
    waits = operations.want(CheckKind.TESTS, 2)
    gone = operations.want(CheckKind.TESTS, 1)
    operations.conclude(gone, Verdict.PASS, "of a deployment that is history")
    for number in range(SHOWN):
        operations.conclude(operations.want(CheckKind.ANALYSIS, 2), Verdict.PASS, f"the {number}th")
    shown = [check.id for check in (await status(admin)).checks]
    assert shown == [*range(SHOWN + gone.id, gone.id, -1), waits.id]


async def test_output_is_bounded_and_its_end_is_kept(operations: PuppetOperations, admin: Any) -> None:
    operations.show(operations.shop.with_deployment(deployment(1)))
    long = "x" * (STATUS_OUTPUT // 4 - 3) + "end"
    findings = [Finding(f"test {number}", Verdict.FAIL, "failed", long) for number in range(3)]
    short = replace(findings[0], output=long[-100:])
    operations.conclude(operations.want(CheckKind.TESTS, 1), Verdict.FAIL, "3 of 3", *findings)
    operations.conclude(operations.want(CheckKind.TESTS, 1), Verdict.FAIL, "4 of 4", short, *findings)
    newest, before = (await status(admin)).checks
    assert [len(each.output) for each in newest.findings] == [100, *([len(long)] * 3)]
    assert [len(each.output) for each in before.findings] == [len(long) - 100, 0, 0]
    assert before.findings[0].output.endswith("end")


async def test_a_list_of_services_tells_nothing_of_gates(operations: PuppetOperations, admin: Any) -> None:
    operations.show(operations.shop.with_deployment(deployment(1)))
    operations.want(CheckKind.TESTS, 1)
    (shop,) = (await admin.ListServices(pb.ListServicesRequest())).services
    assert not shop.checks


async def test_what_the_analysis_sees(operations: PuppetOperations, admin: Any) -> None:
    assert not (await status(admin)).HasField("observation")
    operations.observation = Observation(
        Stretch(candidate=2, active=1, since=STARTED, rollout=1, step=0),
        begun=STARTED + 1,
        verdict=Verdict.FAIL,
        findings=(Finding("success_rate >= 99", Verdict.FAIL, "success_rate 95 %"),),
        first_bad_at=STARTED + 2,
        tally={"success_rate >= 99": Tally(passes=3, fails=2, inconclusives=1)},
    )
    operations.show(operations.shop)
    seen = (await status(admin)).observation
    assert (seen.candidate_revision, seen.active_revision, seen.rollout_id, seen.step) == (2, 1, 1, 0)
    assert (seen.since, seen.begun, seen.first_bad_at) == (STARTED, STARTED + 1, STARTED + 2)
    (watched,) = seen.watched
    assert (watched.last.name, watched.last.verdict) == ("success_rate >= 99", "fail")
    assert (watched.passes, watched.fails, watched.inconclusives, watched.errors) == (3, 2, 1, 0)


async def test_the_tests_that_have_begun_are_told(operations: PuppetOperations, admin: Any) -> None:
    operations.show(operations.shop.with_deployment(deployment(1)))
    answer = await admin.Test(pb.TestRequest(service="shop", active=True))
    assert (answer.message, answer.check.kind) == ("It is tested.", "tests-of-active")
    assert operations.asked[-1][:2] == ("test", {"active": True})


def approving(operations: PuppetOperations, pause: float | None) -> ServiceAggregate:
    operations.show(operations.shop.with_deployment(deployment(1)))
    operations.open_rollout(RolloutKind.PROMOTE, Step(10, pause, approval=True), Step(100))
    operations.set_percent(10)
    return operations.shop


@pytest.mark.parametrize(("pause", "wanted"), [(0.0, True), (5.0, True), (None, False)])
async def test_an_approval_is_wanted_where_nothing_else_is(
    operations: PuppetOperations, *, pause: float | None, wanted: bool
) -> None:
    """What is left by hand is approved with that."""
    assert is_approval_wanted(approving(operations, pause)) is wanted


async def test_an_approval_is_wanted_once(operations: PuppetOperations) -> None:
    approving(operations, 0.0)
    operations.conclude(operations.want(CheckKind.APPROVAL, 1), Verdict.PASS, "approved")
    assert not is_approval_wanted(operations.shop)


async def test_no_approval_is_wanted_of_what_turns_back(operations: PuppetOperations) -> None:
    aggregate = approving(operations, 0.0)
    assert aggregate.rollout is not None
    turning = replace(aggregate, rollout=replace(aggregate.rollout, turning_back="bad"))
    assert not is_approval_wanted(turning)
