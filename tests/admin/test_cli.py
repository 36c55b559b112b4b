from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from bluegreen.admin.cli import lazy
from bluegreen.admin.cli.failure import Failure
from bluegreen.model.deployment import Status
from bluegreen.model.environment import Environment
from bluegreen.model.errors import Conflict, InvalidInput, NotServing, Overtaken, Refused
from bluegreen.model.event import What
from bluegreen.model.fleet import ProxyFacts, ResourceTypeFacts
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.rollout import RolloutKind
from bluegreen.model.strategy import Step
from bluegreen.model.traffic_report import BackendReport, ProxyReport, RequestFigures, TrafficReport
from bluegreen.model.traffic_rule import TrafficRule
from bluegreen.rollout.standing import Standing
from deployment_store import SqliteStore
from tests.admin.conftest import AdminServer, Run, Start
from tests.admin.puppet_operations import STARTED, PuppetOperations
from tests.deployment_store.samples import deployment as new_deployment
from tests.deployment_store.samples import event, move

EXAMPLE = Path(__file__).parent / "files" / "services.yaml"

HELP_OF = """
import sys
from bluegreen.app.cli import main
for verb in sys.argv[1:]:
    try:
        main([*verb.split(), "--help"])
    except SystemExit as ended:
        assert ended.code == 0, ended.code
heavy = {"grpc", "google", "rich", "pydantic", "yaml", "asyncio", "aiohttp", "aiosqlite"}
found = sorted(heavy & {name.partition(".")[0] for name in sys.modules})
assert not found, found
"""


def test_help_loads_nothing_that_is_slow() -> None:
    verbs = (
        *("", "serve", "demo", "bootstrap", "schema", "apply", "services", "deploy", "test", "promote"),
        *("approve", "pause", "resume", "abort", "rollback", "status", "history", "events", "proxies"),
        *("proxies forget", "environments", "scale", "logs", "retry", "retire"),
    )
    asked = subprocess.run(
        [sys.executable, "-c", HELP_OF, *verbs], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.count("Usage:") == len(verbs)


# --- exit codes and errors ---


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InvalidInput("That is no word."), 2, "Error: That is no word."),
        (Refused("Not now.", "Possible: status."), 5, "Error: Not now. Possible: status."),
        (Conflict("olga was faster."), 5, "Error: olga was faster.\n"),
        (NotServing("The state is not loaded yet."), 1, "Error: The state is not loaded yet."),
        (ZeroDivisionError("secret"), 1, "incident"),
    ],
    ids=["invalid", "refused", "conflict", "not serving", "internal"],
)
@pytest.mark.filterwarnings("ignore")
async def test_an_error_is_a_sentence_and_an_exit_code(
    run: Run, operations: PuppetOperations, error: Exception, code: int, words: str
) -> None:
    operations.error = error
    ended = await run("promote", "shop")
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("verb", ["promote", "approve", "pause", "resume", "abort", "rollback"])
async def test_a_command_carries_what_was_seen(run: Run, operations: PuppetOperations, verb: str) -> None:
    operations.show(operations.shop.with_deployment(new_deployment(1)))
    operations.open_rollout(RolloutKind.PROMOTE, Step(10), Step(100))
    assert (await run(verb, "shop")).code == 0
    assert operations.expected == [Standing(rollout=1, step=-1, candidate=1)]


async def test_who_was_overtaken_is_told_by_whom(run: Run, operations: PuppetOperations) -> None:
    operations.error = Overtaken("Now rollout 1 is at 50 %.", "Possible: promote.", "olga, 0s ago: Go on.")
    ended = await run("promote", "shop")
    assert (ended.code, ended.out) == (5, "")
    words = "Not as you saw it. olga, 0s ago: Go on. Now rollout 1 is at 50 %. Possible: promote."
    assert ended.err == f"Error: {words}\n"


async def test_wrong_words_are_a_usage_error(run: Run) -> None:
    wrong = {
        ("status", "shoop"): "There is no service 'shoop'. Known: shop.",
        ("deploy", "shop", "v 1"): "without blanks",
        ("deploy", "shop", "-v1"): "No such option",
        ("deploy", "shop", "v1", "--endpoint", "here"): "HOST:PORT",
        ("promote", "shop", "--timeout", "soon"): "no duration",
        ("status", "shop", "--admin", "nowhere"): "HOST:PORT",
        ("events", "--limit", "0"): "--limit",
        ("promot", "shop"): "promot",
    }
    for ended, words in zip(
        await asyncio.gather(*(run(*each) for each in wrong)), wrong.values(), strict=True
    ):
        assert (ended.code, ended.out) == (2, "")
        assert words in ended.err


async def test_nobody_listens(start: Start) -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))  # bound, but it does not listen
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        ended = await (await start("status", "shop", admin=address)).ends()
    assert (ended.code, ended.out) == (1, "")
    assert f"Cannot reach the control plane at {address}: " in ended.err
    assert "Connection refused" in ended.err
    assert "--admin" in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_something_else_listens(start: Start) -> None:
    async with _other_grpc_server() as address:
        ended = await (await start("status", "shop", admin=address)).ends()
    assert ended.code == 1
    assert "does not know this call: is it the admin port" in ended.err
    async with _web_server() as address:
        ended = await (await start("status", "shop", admin=address)).ends()
    assert ended.code == 1
    assert address in ended.err
    assert "Traceback" not in ended.err


@asynccontextmanager
async def _other_grpc_server() -> AsyncIterator[str]:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@asynccontextmanager
async def _web_server() -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


# --- commands ---


async def test_what_is_asked_reaches_the_controller(run: Run, operations: PuppetOperations) -> None:
    deployed = await run(
        *("deploy", "shop", "v1", "--endpoint", "127.0.0.1:1", "--endpoint", "[::1]:2", "--replace-standby"),
        *("--actor", "olga", "--reason", "a\n  good reason"),
    )
    assert (deployed.code, deployed.out, deployed.err) == (0, "v1 goes to blue.\n", "")
    verb, command, origin = operations.asked[0]
    assert verb == "deploy"
    assert str(command) == (
        "DeployCommand(service='shop', version='v1', endpoints=(Endpoint(host='127.0.0.1', port=1), "
        "Endpoint(host='::1', port=2)), replace_standby=True)"
    )
    assert (origin.actor, origin.reason) == ("olga", "a good reason")
    for arguments in (("promote", "shop", "--full"), ("pause", "shop"), ("resume", "shop")):
        assert (await run(*arguments, BLUEGREEN_REASON="drill")).code == 0
    assert [asked[:2] for asked in operations.asked[1:]] == [
        ("promote", {"full": True}),
        ("pause", "shop"),
        ("resume", "shop"),
    ]
    assert "@" in operations.asked[1][2].actor  # user@host
    assert operations.asked[1][2].reason == "drill"


async def test_apply_tells_what_changes(run: Run, operations: PuppetOperations, tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text(
        "gateways: {edge: {listen: 127.0.0.1:10000}, inner: {listen: 127.0.0.1:10100}}\n"
        "services: {shop: {gateways: [edge], domains: [shop.example], keep_warm: 5m}}\n"
    )
    changes = "+ gateways.inner\n~ services.shop.keep_warm: 30m -> 5m\n"
    dry = await run("apply", "-f", str(file), "--dry-run")
    assert (dry.code, dry.out) == (0, f"{changes}2 changes to be made; nothing was changed.\n")
    done = await run("apply", "-f", str(file), "--prune")
    assert (done.code, done.out) == (0, f"{changes}2 changes made.\n")
    assert operations.asked[-1][1] == {"prune": True, "dry_run": False}
    again = await run("apply", "-f", str(file), "-o", "json")
    assert json.loads(again.out) == {"problems": [], "changes": []}
    assert (await run("apply", "-f", str(file))).out == "Nothing to change.\n"


async def test_apply_tells_every_mistake_with_file_line_and_path(
    run: Run, operations: PuppetOperations, tmp_path: Path
) -> None:
    file = tmp_path / "services.yaml"
    file.write_text(EXAMPLE.read_text().replace("timeout: 15s", "timeout: 15x").replace("30m", "soon"))
    ended = await run("apply", "-f", str(file))
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    assert lines[0].startswith(f"{file}:15: services.shop.routes[0].timeout: '15x' is no duration")
    assert lines[1].startswith(f"{file}:46: services.shop.keep_warm: ")
    assert lines[2] == f"Error: 2 mistakes in {file}; nothing was changed."
    told = await run("apply", "-f", str(file), "-o", "json")
    assert told.code == 2
    assert [each["line"] for each in json.loads(told.out)["problems"]] == [15, 46]
    assert operations.asked == []


async def test_apply_of_what_cannot_be_read(run: Run, tmp_path: Path) -> None:
    missing = await run("apply", "-f", str(tmp_path / "nowhere.yaml"))
    assert missing.code == 2
    assert "No such file" in missing.err
    (tmp_path / "latin.yaml").write_bytes(b"# one\n# caf\xe9\n")
    latin = await run("apply", "-f", str(tmp_path / "latin.yaml"))
    assert latin.code == 2
    assert "latin.yaml:2: this is no text in UTF-8" in latin.err
    (tmp_path / "huge.yaml").write_bytes(b"#" * 5_000_000)
    huge = await run("apply", "-f", str(tmp_path / "huge.yaml"))
    assert huge.code == 2
    assert "larger than 4 MiB" in huge.err


async def test_the_schema_needs_no_control_plane(start: Start) -> None:
    ended = await (await start("schema")).ends()
    assert ended.code == 0
    assert json.loads(ended.out)["title"] == "bluegreen service file"


# --- looking ---


@pytest.fixture
def shifting(operations: PuppetOperations) -> None:
    """v2 on green has 10 %; edge-2 lags."""
    for revision, environment, status in (
        (1, Environment.BLUE, Status.ACTIVE),
        (2, Environment.GREEN, Status.SHIFTING),
    ):
        each = replace(new_deployment(revision, environment), status=status)
        operations.show(operations.shop.with_deployment(each))
    operations.open_rollout(RolloutKind.PROMOTE, Step(10), Step(100))
    operations.set_percent(10)
    report = TrafficReport(
        (
            ProxyReport("edge-1", "edge", connected=True, routes_acknowledged_at=STARTED),
            ProxyReport(
                "edge-2",
                "edge",
                connected=False,
                rejected="bad\x1b[2J",
                silent=True,
                backends={2: BackendReport(2, healthy=1, active=9)},
            ),
            ProxyReport(
                "edge-3",
                "edge",
                connected=True,
                listener_rejected="cannot bind",
                has_namesake=True,
                backends={2: BackendReport(2, healthy=1)},
            ),
        ),
        {1: RequestFigures(900, {5: 10}, 7, 90.0, 4.0, 12.5), 2: RequestFigures(100, {}, 3, 10.0)},
    )
    traffic = TrafficRule("shop", Environment.BLUE, 10)
    operations.show(replace(operations.shop, traffic=traffic), "waits for edge-2", report)


@pytest.mark.usefixtures("shifting")
async def test_the_status_for_a_person_in_a_pipe(run: Run) -> None:
    ended = await run("status", "shop")
    assert ended.code == 0
    assert "\x1b" not in ended.out
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    head = "ENVIRONMENT VERSION REV STATUS SET ACKED OBSERVED REQ/S ACTIVE 5XX P99 MS SINCE"
    assert head in lines
    blue, green = lines[lines.index(head) + 1 : lines.index(head) + 3]
    assert blue.startswith("blue v1 1 active 90 % 1/3 90 % 90 7+? 10 12 ")
    assert green.startswith("green v2 2 shifting 10 % 1/3 10 % 10 3+? 0 - ")
    assert "Rollout 1 (promote v2): waiting for acknowledgements at 10 % of [10], 100" in lines
    assert (
        "Proxy edge-2 (edge): not connected, what it has under way is not known; refuses it: bad [2J; "
        "has not acknowledged the present weights"
    ) in lines
    assert (
        "Proxy edge-3 (edge): another Envoy has the same node id, and their figures are mixed: give each its "
        "own; refuses its gateway's listeners, and goes on with those it had: cannot bind; "
        "has not acknowledged the present weights; revision 2: 1 of 2 healthy"
    ) in lines
    assert "Now: waits for edge-2" in lines


@pytest.mark.usefixtures("shifting")
async def test_the_status_for_a_program_has_every_field(run: Run) -> None:
    status = json.loads((await run("status", "shop", "-o", "json")).out)
    assert status["active_environment"] == "blue"
    assert status["rollout"]["steps"] == [10, 100]
    assert status["deployments"][1]["note"] == ""  # a default
    assert status["deployments"][0]["requests"] == "900"  # 64 bits
    assert status["proxies"][0]["acknowledged"] is True
    gone = status["proxies"][1]["backends"][0]
    assert (gone["healthy"], gone["active_requests"]) == (-1, -1), "what it said last is not of now"


async def test_the_only_service_need_not_be_named(run: Run, operations: PuppetOperations) -> None:
    assert (await run("status")).out.startswith("shop  ")
    operations.add_service("blog")
    listed = await run("status")
    assert (listed.code, [line.split()[0] for line in listed.out.splitlines()[:3]]) == (
        0,
        ["SERVICE", "blog", "shop"],
    )
    assert "One of them: bluegreen status SERVICE" in listed.out
    for more in (("-o", "json"), ("--watch",)):
        unsaid = await run("status", *more)
        assert (unsaid.code, unsaid.err) == (2, "Error: Say which service: blog, shop.\n")
    operations.remove("shop")
    operations.remove("blog")
    assert "There is no service yet" in (await run("status")).err


async def test_the_status_with_nothing_deployed(run: Run) -> None:
    ended = await run("status", "shop")
    assert [" ".join(line.split()) for line in ended.out.splitlines()][2:4] == [
        "blue - - empty",
        "green - - empty",
    ]


@pytest.mark.usefixtures("shifting")
async def test_a_watch_in_a_pipe_is_a_line_for_each_change(
    start: Start, server: AdminServer, operations: PuppetOperations
) -> None:
    watch = await start("status", "shop", "--watch", admin=server.address)
    assert "waits for edge-2" in await watch.prints("waits for edge-2")
    operations.set_percent(100)
    assert "100 % set, acknowledged by 1 of 3" in await watch.prints("rollout 1")
    watch.interrupt()
    ended = await watch.ends()
    assert (ended.code, ended.err) == (130, "")


async def test_a_watch_for_a_program_is_a_message_a_line(start: Start, server: AdminServer) -> None:
    watch = await start("status", "shop", "--watch", "-o", "json", admin=server.address)
    for _ in range(2):  # the second by the heartbeat
        assert json.loads(await watch.prints("shop"))["service"] == "shop"
    watch.interrupt()
    assert (await watch.ends()).code == 130


async def test_services_history_and_proxies(
    run: Run, operations: PuppetOperations, store: SqliteStore
) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(
        aggregate.with_deployment(new_deployment(1)), aggregate.revision, [event(What.DEPLOYED, 1)]
    )
    types = (ResourceTypeFacts("CDS", "bbbbbbbbbbbb", "aaaaaaaaaaaa", "bad\ncluster", 3),)
    operations.proxies = [
        ProxyFacts("edge-1", "edge", "1.40.0", STARTED, STARTED, connected_since=STARTED, types=types),
        ProxyFacts("edge-2", "edge", "", STARTED, STARTED),
    ]
    shown = {
        ("services",): "shop",
        ("history", "shop"): "1         v1       blue         deploying",
        ("proxies",): "CDS: bad cluster",
        ("proxies", "--gateway", "edge"): "edge-2",
        ("proxies", "forget", "edge-2"): "edge-2 is forgotten",
    }
    for ended, words in zip(
        await asyncio.gather(*(run(*each) for each in shown)), shown.values(), strict=True
    ):
        assert ended.code == 0, ended.err
        assert words in ended.out
    listed = json.loads((await run("proxies", "-o", "json")).out)
    assert [each["id"] for each in listed["proxies"]] == ["edge-1", "edge-2"]
    assert json.loads((await run("services", "-o", "json")).out)["services"][0]["service"] == "shop"
    assert json.loads((await run("history", "shop", "-o", "json")).out)["rollouts"] == []
    unknown = await run("proxies", "forget", "edge-9")
    assert unknown.code == 2
    assert "Known: edge-1, edge-2." in unknown.err


async def test_events_are_followed_across_a_restart(
    start: Start, run: Run, server: AdminServer, store: SqliteStore
) -> None:
    aggregate = await store.load("shop")
    await store.compare_and_set(
        aggregate.with_deployment(new_deployment(1)), aggregate.revision, [event(What.DEPLOYED, 1)]
    )
    listed = await run("events", "shop")
    assert "shop  deployed  It is deployed.  (olga: because)" in listed.out
    follow = await start("events", "--follow", "-o", "json", admin=server.address)
    assert json.loads(await follow.prints("deployed"))["deployment_revision"] == 1
    await server.stop()
    await follow.says("Trying again")
    await move(store, 1, What.PREPARED)
    await store.remember_proxies([KnownProxy("edge-1", "edge", "1.40.0", STARTED, STARTED)])
    await server.start()
    prepared = json.loads(await follow.prints("{"))  # not the first one again
    assert (prepared["what"], prepared["from"], prepared["to"]) == ("prepared", "deploying", "ready")
    assert json.loads(await follow.prints("{"))["what"] == "proxy-seen"
    follow.interrupt()
    assert (await follow.ends()).code == 130


# --- settings ---


async def test_a_flag_comes_before_the_environment_and_that_before_the_file(
    start: Start, server: AdminServer, tmp_path: Path
) -> None:
    config = tmp_path / "bluegreen.toml"
    config.write_text(f'admin = "{server.address}"\noutput = "json"\n')
    by_file = await (
        await start("--config", str(config), "proxies", admin="")  # an empty variable says nothing
    ).ends()
    assert (by_file.code, json.loads(by_file.out)) == (0, {"proxies": []})
    by_variable = await (
        await start("status", "shop", admin="127.0.0.1:1", BLUEGREEN_CONFIG=str(config))
    ).ends()
    assert by_variable.code == 1
    by_flag = await (
        await start("status", "shop", "--admin", server.address, "-o", "table", BLUEGREEN_CONFIG=str(config))
    ).ends()
    assert by_flag.code == 0
    assert by_flag.out.startswith("shop")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('xds_lisen = "127.0.0.1:1"', "there is no setting 'xds_lisen'; did you mean xds_listen?"),
        ('service = "shop"', "there is no setting 'service'"),
        ("= 1", "this is no TOML"),
        ('xds_listen = "here"', "HOST:PORT"),
        ('event_retention = "soon"', "no duration"),
        ('log_level = "loud"', "'loud' is not one of"),
        (None, "No such file"),
    ],
)
async def test_a_settings_file_with_a_mistake(
    start: Start, tmp_path: Path, text: str | None, words: str
) -> None:
    config = tmp_path / "bluegreen.toml"
    if text is not None:
        config.write_text(text)
    ended = await (await start("--config", str(config), "serve")).ends()
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


async def test_a_bootstrap_is_printed_or_refused(start: Start) -> None:
    printed = await (await start("bootstrap", "--gateway", "edge", "--node-id", "edge-1")).ends()
    assert printed.code == 0
    assert "id: edge-1" in printed.out
    assert "cluster: edge" in printed.out
    wrong = (
        ("--gateway", "Edge", "--node-id", "edge-1"),
        ("--gateway", "edge", "--node-id", "edge 1"),
        ("--gateway", "edge", "--node-id", "edge-1", "--envoy-admin", "0.0.0.0:9901"),
        ("--gateway", "edge"),
    )
    running = [await start("bootstrap", *each) for each in wrong]
    for refused in await asyncio.gather(*(each.ends() for each in running)):
        assert (refused.code, refused.out) == (2, "")
        assert "Error: " in refused.err


def test_an_error_out_of_a_task_group_is_a_sentence_too() -> None:
    with pytest.raises(Failure) as caught:
        lazy.run("tests.admin.test_cli:raise_in_a_group")
    assert caught.value.exit_code == 5
    assert caught.value.message == "Not now."


def raise_in_a_group() -> None:
    async def fail() -> None:
        async with asyncio.TaskGroup(), asyncio.TaskGroup():
            raise Refused("Not now.")

    asyncio.run(fail())
