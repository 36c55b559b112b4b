"""What a program of the user's finds in its environment of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping

INHERITED = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    }
)
"""What is taken over from the control plane, with every LC_...; the rest may be a secret of its own."""

DEFAULTS = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def inherited_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The few harmless variables of `environment`, and those that none should be without."""
    own = {name: value for name, value in environment.items() if name in INHERITED or name.startswith("LC_")}
    return {**DEFAULTS, **own}
