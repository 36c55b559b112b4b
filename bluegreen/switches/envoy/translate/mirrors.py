"""Copies of requests to the candidate -> RequestMirrorPolicy, and which requests are copied.

Envoy does not wait for the answer to a copy and throws it away. But it streams the body to both sides, and
where the candidate does not read, it stops reading from the client: a POST of 20 MB to a candidate that hung
was never served. So a copy must fit into what is buffered for it. The size is known by the content-length
alone; a request that has none and may have a body is not copied.
"""

from __future__ import annotations

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation
from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption, RuntimeFractionalPercent
from envoy.config.route.v3.route_components_pb2 import HeaderMatcher, RouteAction
from envoy.type.v3.percent_pb2 import FractionalPercent
from envoy.type.v3.range_pb2 import Int64Range

from bluegreen.model.steering import Mirror

LARGEST_COPY = 64 * 1024
"""Bytes of a body that is copied; must stay below the buffer of a connection and of a stream."""

SMALL = HeaderMatcher(name="content-length", range_match=Int64Range(start=0, end=LARGEST_COPY + 1))
NOT_LARGE = HeaderMatcher(  # or without a body
    name="content-length",
    range_match=Int64Range(start=LARGEST_COPY + 1, end=2**63 - 1),
    invert_match=True,
    treat_missing_header_as_empty=True,
)

MARK = "x-bluegreen-mirrored"
"""The header by which an instance can tell a copy."""

_MILLIONTHS_PER_PERCENT = 10_000


def mirror_policy(mirror: Mirror, cluster: str) -> RouteAction.RequestMirrorPolicy:
    """Copies that share of the requests to the cluster; the host stays what it was (Envoy would append
    `-shadow`, which an application that looks at it does not know)."""
    marked = HeaderValueOption(
        header=HeaderValue(key=MARK, value="true"),
        append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
    return RouteAction.RequestMirrorPolicy(
        cluster=cluster,
        runtime_fraction=RuntimeFractionalPercent(default_value=_fraction(mirror.percent)),
        disable_shadow_host_suffix_append=True,
        request_headers_mutations=[HeaderMutation(append=marked)],
    )


def _fraction(percent: float) -> FractionalPercent:
    """In millionths. Envoy takes the same random number modulo 100 to choose among the weighted clusters, and
    modulo this denominator to decide on a copy: of hundredths all copies would be of one side's requests."""
    return FractionalPercent(
        numerator=round(percent * _MILLIONTHS_PER_PERCENT), denominator=FractionalPercent.MILLION
    )
