from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bluegreen.admin.cli.connection import OutOfReach, Overdue
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.options import Patience
from bluegreen.admin.cli.watching import RENEW_AFTER, follow
from bluegreen.model.deployment import Status
from bluegreen.model.environment import Environment
from bluegreen.model.event import What
from bluegreen.model.rollout import Outcome, RolloutKind
from bluegreen.model.strategy import Step
from bluegreen.model.traffic_report import ProxyReport
from bluegreen.model.traffic_rule import TrafficRule
from deployment_store import SqliteStore
from tests.admin.conftest import AdminServer, Running, Start
from tests.admin.puppet_operations import STARTED, PuppetOperations
from tests.deployment_store.samples import deployment as new_deployment
from tests.deployment_store.samples import event, move


@pytest.fixture
async def deploying(start: Start, server: AdminServer, operations: PuppetOperations) -> Running:
    """`bluegreen deploy shop v1 --wait`, watching."""
    running = await start("deploy", "shop", "v1", "--wait", admin=server.address)
    await running.says("v1 goes to blue.")
    return running


@pytest.fixture
async def promoting(start: Start, server: AdminServer, operations: PuppetOperations) -> Running:
    """`bluegreen promote shop --wait`, watching a rollout of v2 by 10 and 100 %."""
    candidate = replace(new_deployment(2, Environment.GREEN), status=Status.SHIFTING)
    operations.show(operations.shop.with_deployment(candidate))
    running = await start("promote", "shop", "--wait", admin=server.address)
    await running.says("Rollout 1 begins.")
    return running


async def test_deploy_waits_until_it_is_ready(deploying: Running, operations: PuppetOperations) -> None:
    operations.show(operations.shop, "waits for edge-1", None)
    await deploying.says("waits for edge-1")
    operations.move(1, Status.READY)
    ended = await deploying.ends()
    assert ended.code == 0
    assert ended.out == "v1 (revision 1) is ready on blue. Next: bluegreen promote shop\n"
    assert "v1 on blue (revision 1) is ready" in ended.err


async def test_deploy_tells_that_it_failed(deploying: Running, operations: PuppetOperations) -> None:
    operations.move(1, Status.FAILED, "edge-1 never reported it healthy")
    ended = await deploying.ends()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith(
        "Error: v1 (revision 1) failed: edge-1 never reported it healthy. "
        "Once that is put right: bluegreen retry shop\n"
    )


async def test_deploy_finds_in_the_history_what_is_over(
    deploying: Running, operations: PuppetOperations, store: SqliteStore
) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(
        aggregate.with_deployment(new_deployment(1)), aggregate.revision, [event(What.DEPLOYED, 1)]
    )
    await move(store, 1, What.FAILED)
    operations.show(replace(operations.shop, deployments=()))
    ended = await deploying.ends()
    assert ended.code == 1
    assert "v1 (revision 1) failed" in ended.err


async def test_deploy_that_gave_way_is_not_done(deploying: Running, operations: PuppetOperations) -> None:
    operations.move(1, Status.RETIRED)
    assert (await deploying.ends()).code == 3


async def test_promote_waits_until_all_have_all(promoting: Running, operations: PuppetOperations) -> None:
    operations.report(
        ProxyReport("edge-1", "edge", connected=True, routes_acknowledged_at=STARTED),
        ProxyReport("edge-2", "edge", connected=True),
    )
    operations.set_percent(10)
    await promoting.says("waiting for acknowledgements, 10 % set, acknowledged by 1 of 2")
    operations.set_percent(100)
    await promoting.says("100 % set")
    operations.amend_rollout(lambda rollout: replace(rollout, seconds_to_last_ack=0.012, skew=0.003))
    operations.finish(Outcome.COMPLETED)
    ended = await promoting.ends()
    assert ended.code == 0
    assert ended.out == ("v2 has all traffic of shop, acknowledged by every proxy after 12 ms (skew 3 ms).\n")


async def test_promote_ends_where_it_holds_for_an_operator(
    promoting: Running, operations: PuppetOperations
) -> None:
    operations.set_percent(10)
    operations.acknowledge()
    ended = await promoting.ends()
    assert ended.code == 0
    assert "holds at 10 %" in ended.out
    assert "bluegreen promote shop (to 100 %)" in ended.out


@pytest.mark.parametrize("outcome", [Outcome.ABORTED, Outcome.FAILED])
async def test_promote_tells_that_it_was_taken_back(
    promoting: Running, operations: PuppetOperations, outcome: Outcome
) -> None:
    operations.amend_rollout(lambda rollout: replace(rollout, turning_back="edge-1 refused"))
    await promoting.says("turning back")
    operations.finish(outcome)
    ended = await promoting.ends()
    assert (ended.code, ended.out) == (3, "")
    assert "Reason: edge-1 refused." in ended.err


async def test_promote_does_not_wait_for_an_operator_who_must_resume(
    promoting: Running, operations: PuppetOperations
) -> None:
    operations.amend_rollout(lambda rollout: replace(rollout, paused="edge-2 is silent"))
    ended = await promoting.ends()
    assert ended.code == 1
    assert "paused at 0 %: edge-2 is silent. Go on with bluegreen resume shop" in ended.err


async def test_a_rollout_that_was_followed_by_another_is_found(
    promoting: Running, operations: PuppetOperations, store: SqliteStore
) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(
        aggregate.with_deployment(new_deployment(1)), aggregate.revision, [event(What.DEPLOYED, 1)]
    )
    await move(store, 1, What.PREPARED, What.SHIFT_STARTED)
    aggregate = await store.load("shop")
    assert operations.shop.rollout is not None
    over = replace(
        operations.shop.rollout,
        candidate=1,
        outcome=Outcome.ABORTED,
        finished_at=STARTED,
        turning_back="olga",
    )
    await store.compare_and_set(
        replace(aggregate, rollout=over), aggregate.revision, [event(What.TURNED_BACK)]
    )
    operations.amend_rollout(lambda rollout: replace(rollout, id=2))
    ended = await promoting.ends()
    assert ended.code == 3
    assert "Reason: olga." in ended.err


async def test_a_timeout_ends_the_waiting_only(
    start: Start, server: AdminServer, operations: PuppetOperations
) -> None:
    running = await start("deploy", "shop", "v1", "--timeout", "1s", "-o", "json", admin=server.address)
    ended = await running.ends()
    assert ended.code == 4
    assert "Not done after 1s: idle The work goes on." in ended.err
    assert "bluegreen status shop --watch" in ended.err
    answer = json.loads(ended.out)
    assert answer["deployment_revision"] == 1
    assert answer["status"]["deployments"][0]["status"] == "deploying"


async def test_ctrl_c_ends_the_waiting_only(deploying: Running) -> None:
    deploying.interrupt()
    ended = await deploying.ends()
    assert ended.code == 130
    assert "the work goes on" in ended.err


async def test_rollback_waits_until_all_have_acknowledged(
    start: Start, server: AdminServer, operations: PuppetOperations
) -> None:
    operations.show(operations.shop.with_deployment(new_deployment(1)))
    running = await start("rollback", "shop", "--force", "--wait", "-o", "json", admin=server.address)
    await running.says("Rollout 1 begins.")
    assert operations.asked[0][:2] == ("rollback", {"force": True})
    operations.show(replace(operations.shop, traffic=TrafficRule("shop", Environment.BLUE)))
    operations.finish(Outcome.COMPLETED)
    ended = await running.ends()
    assert ended.code == 0
    assert json.loads(ended.out)["status"]["rollout"]["state"] == "completed"


async def test_abort_is_done_when_the_rollout_it_found_is_aborted(
    start: Start, server: AdminServer, operations: PuppetOperations
) -> None:
    operations.show(operations.shop.with_deployment(new_deployment(1)))
    operations.open_rollout(RolloutKind.PROMOTE, Step(10), Step(100))
    running = await start("abort", "shop", "--wait", admin=server.address)
    await running.says("abort it is.")
    operations.show(replace(operations.shop, traffic=TrafficRule("shop", Environment.BLUE)))
    operations.finish(Outcome.ABORTED)
    ended = await running.ends()
    assert (ended.code, ended.out) == (0, "The traffic of shop is back on blue.\n")


async def test_retry_waits_for_what_it_does_again(
    start: Start, server: AdminServer, operations: PuppetOperations
) -> None:
    deploying = await start("retry", "shop", "--wait", "--key", "k1", admin=server.address)
    await deploying.says("again goes to blue.")
    assert operations.asked[0][2].key == "k1"
    operations.move(1, Status.READY)
    assert "again (revision 1) is ready" in (await deploying.ends()).out
    operations.open_rollout(RolloutKind.PROMOTE, Step(100))
    operations.finish(Outcome.ABORTED)
    promoting = await start("retry", "shop", "--wait", admin=server.address)
    await promoting.says("Rollout 2 begins.")
    operations.finish(Outcome.COMPLETED)
    assert "again has all traffic of shop" in (await promoting.ends()).out


async def test_retire_waits_until_no_proxy_holds_any_of_it(
    start: Start, server: AdminServer, operations: PuppetOperations
) -> None:
    operations.show(operations.shop.with_deployment(replace(new_deployment(1), status=Status.ACTIVE)))
    running = await start("retire", "shop", "--yes", "--wait", admin=server.address)
    await running.says("shop is taken out.")
    assert operations.asked[0][:2] == ("retire", {"confirmed": True})
    operations.show(replace(operations.shop, deployments=()))
    ended = await running.ends()
    assert ended.code == 0
    assert "No proxy leads to shop any more" in ended.out


async def test_with_nothing_to_wait_for_it_is_done(start: Start, server: AdminServer) -> None:
    ended = await (await start("abort", "shop", "--wait", admin=server.address)).ends()
    assert (ended.code, ended.out, ended.err) == (0, "abort it is.\n", "")


async def test_waiting_goes_on_when_the_control_plane_comes_back(
    deploying: Running, server: AdminServer, operations: PuppetOperations
) -> None:
    await server.stop()
    await deploying.says("Trying again")
    operations.move(1, Status.READY)
    await server.start()
    ended = await deploying.ends()
    assert ended.code == 0
    assert "the control plane is back" in ended.err


async def test_a_timeout_is_waited_out_while_nobody_answers(
    start: Start, server: AdminServer, operations: PuppetOperations
) -> None:
    deploying = await start("deploy", "shop", "v1", "--timeout", "2s", admin=server.address)
    await deploying.says("v1 goes to blue.")
    await server.stop()
    ended = await deploying.ends()
    assert "Trying again for 2 s" in ended.err
    assert (ended.code, "Not done after 2s" in ended.err) == (4, True), "the work may go on"


async def test_a_refusal_in_mid_wait_is_told(deploying: Running, operations: PuppetOperations) -> None:
    operations.remove("shop")
    ended = await deploying.ends()
    assert ended.code == 2
    assert "There is no service 'shop'" in ended.err


def test_a_control_plane_that_stays_away_ends_the_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    def answers_once(_: float) -> Iterator[str]:
        if not attempts:
            yield "once"
        attempts.append(1)
        raise OutOfReach("Nobody there.", ExitCode.FAILED)

    attempts: list[int] = []
    messages = follow(answers_once, Patience(wait=True, reconnect=0.3))
    assert next(messages) == "once"
    with pytest.raises(OutOfReach):
        next(messages)
    assert len(attempts) > 2
    assert "Nobody there. Trying again" in capsys.readouterr().err


def test_a_control_plane_that_never_answered_is_not_waited_for() -> None:
    def silent(_: float) -> Iterator[str]:
        yield from ()
        attempts.append(1)
        raise OutOfReach("Nobody there.", ExitCode.FAILED)

    attempts: list[int] = []
    with pytest.raises(OutOfReach):
        next(follow(silent, Patience(wait=True, reconnect=0.0)))
    assert len(attempts) == 1


def test_a_stream_is_opened_anew_now_and_then() -> None:
    def ends(seconds: float) -> Iterator[str]:
        asked.append(seconds)
        yield "alive"
        raise Overdue("That was all.", ExitCode.FAILED)

    asked: list[float] = []
    messages = follow(ends, Patience(wait=True, reconnect=0.0))
    assert [next(messages), next(messages)] == ["alive", "alive"]
    assert asked == [RENEW_AFTER] * 2


def test_a_silent_stream_is_as_good_as_none_unless_silence_is_its_way() -> None:
    def silent(_: float) -> Iterator[str]:
        asked.append(1)
        if len(asked) == 3:
            yield "a word"
        raise Overdue("Nothing came.", ExitCode.FAILED)

    asked: list[int] = []
    patience = Patience(wait=True, reconnect=0.0)
    with pytest.raises(Overdue):
        next(follow(silent, patience, answered=True))
    assert len(asked) == 1
    assert next(follow(silent, patience, answered=True, quiet=True)) == "a word"
