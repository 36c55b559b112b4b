"""What a command finds in its environment. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from bluegreen.model.checker import Target

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


def command_environment(inherited: Mapping[str, str], target: Target) -> dict[str, str]:
    """The few harmless variables of `inherited`, and each field of the target: `BLUEGREEN_SERVICE` and so
    on, empty where it does not apply. BLUEGREEN_URLS is separated by blanks; BLUEGREEN_PREVIEW_URL is
    BLUEGREEN_URL."""
    own = {name: value for name, value in inherited.items() if name in INHERITED or name.startswith("LC_")}
    told = {f"BLUEGREEN_{each.name.upper()}": _text(getattr(target, each.name)) for each in fields(target)}
    return {**DEFAULTS, **own, **told, "BLUEGREEN_PREVIEW_URL": target.url}


def _text(value: str | int | tuple[str, ...] | None) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return " ".join(value)
        case _:
            return str(value)
