"""What a command finds in its environment. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from bluegreen.model.checker import Target
from bluegreen.subprocesses.inherited import inherited_environment


def command_environment(inherited: Mapping[str, str], target: Target) -> dict[str, str]:
    """The few harmless variables of `inherited`, and each field of the target: `BLUEGREEN_SERVICE` and so
    on, empty where it does not apply. BLUEGREEN_URLS is separated by blanks; BLUEGREEN_PREVIEW_URL is
    BLUEGREEN_URL."""
    told = {f"BLUEGREEN_{each.name.upper()}": _text(getattr(target, each.name)) for each in fields(target)}
    return {**inherited_environment(inherited), **told, "BLUEGREEN_PREVIEW_URL": target.url}


def _text(value: str | int | tuple[str, ...] | None) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return " ".join(value)
        case _:
            return str(value)
