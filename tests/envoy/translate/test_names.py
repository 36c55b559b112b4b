from __future__ import annotations

import pytest

from bluegreen.switches.envoy import names
from bluegreen.switches.envoy.names import PREFIX, ClusterName, ListenerName, Twin


@pytest.mark.parametrize("twin", [None, *Twin])
def test_a_clusters_name_reads_back(twin: Twin | None) -> None:
    name = ClusterName("shop-2", 17, twin)
    assert ClusterName.parse(str(name)) == name


@pytest.mark.parametrize("preview", [False, True])
def test_a_listeners_name_reads_back(preview: bool) -> None:
    name = ListenerName("edge-1", preview)
    assert ListenerName.parse(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "control_plane",
        "bluegreen/shop",
        "bluegreen/shop/",
        "bluegreen/shop/0",
        "bluegreen/shop/one",
        "bluegreen/shop/1/",
        "bluegreen/shop/1/other",
        "x/bluegreen/shop/1",
        "bluegreen/shop/1\n",
    ],
)
def test_what_is_no_cluster_of_ours_is_none(text: str) -> None:
    assert ClusterName.parse(text) is None


@pytest.mark.parametrize("text", ["", "edge", "bluegreen/", "bluegreen/edge/1", "bluegreen/edge/preview/x"])
def test_what_is_no_listener_of_ours_is_none(text: str) -> None:
    assert ListenerName.parse(text) is None


def test_every_name_differs_and_has_the_prefix_and_no_dot() -> None:
    made = {
        names.cluster_name("edge", 1),
        names.cluster_name("edge", 11),
        *(names.twin_name("edge", 1, twin) for twin in Twin),
        names.route_table_name("edge"),
        names.preview_route_table_name("edge"),
    }
    assert len(made) == 4 + len(Twin)
    assert all(name.startswith(PREFIX) and "." not in name for name in made)
    assert names.listener_name("edge") == names.route_table_name("edge")
    assert names.preview_listener_name("edge") == names.preview_route_table_name("edge")
