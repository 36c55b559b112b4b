"""docs/environments.md: what it shows of the contract is the contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.pool import Instance, InstanceState, Pool
from bluegreen.model.provisioning import ProvisionerCommand
from bluegreen.provisioners.command.command_provisioner import COMMANDS_AT_ONCE, ENDPOINTS_TIMEOUT
from bluegreen.provisioners.command.contract import MAXIMUM_ID, Verb, question, read_answer
from bluegreen.provisioners.file.endpoints_document import read_endpoints
from bluegreen.provisioners.file.file_provisioner import SETTLE

PAGE = (Path(__file__).parents[3] / "docs/environments.md").read_text()


def test_the_question() -> None:
    pool = Pool("shop", "green", 7, "v2", ProvisionerCommand(("x",)), 3, ("shop-7-a",))
    known = [Instance("shop-7-a", Endpoint("10.0.1.1", 8080), InstanceState.UP)]
    shown, _ = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert json.loads(question(pool, known)) == json.loads(shown)


def test_the_answer() -> None:
    _, shown = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    first, second = read_answer(shown.encode(), 1767225700.0, ())

    assert (first.state, first.since) == (InstanceState.UP, 1767225600.0)
    assert (second.since, second.note) == (1767225700.0, "pulling the image")


def test_the_words_and_figures() -> None:
    for word in (*Verb, *InstanceState):
        assert f"`{word}`" in PAGE
    for figure in (f"{ENDPOINTS_TIMEOUT:g} s", f"1 to {MAXIMUM_ID}", f"{SETTLE} s", f"| {COMMANDS_AT_ONCE};"):
        assert figure in PAGE


def test_the_file() -> None:
    shown, with_health = re.findall(r"```yaml\n(- .*?)```", PAGE, re.DOTALL)

    assert len(read_endpoints(shown.encode())) == 3
    assert [each.state for each in read_endpoints(with_health.encode())] == ["up", "unhealthy"]
