"""Where the migrations of a version are."""

from __future__ import annotations

import re
from pathlib import Path

from bluegreen.migrations.errors import Refused

_PLACEHOLDER = re.compile(r"\{(service|version)\}")


def version_directory(template: str, service: str, version: str) -> Path:
    """The directory of a version, with `{service}` and `{version}` filled in.

    A version comes from whoever deploys: it names a directory, and leads nowhere else. Raises Refused.
    """
    values = {"service": service, "version": version}
    for what, name in values.items():
        if not name or "/" in name or "\\" in name or not name.isprintable():
            raise Refused(f"The {what} {name!r} names no directory of migrations")
    filled = _PLACEHOLDER.sub(lambda found: values[found[1]], template)
    # No name has a slash, so that the parts of both are side by side.
    for before, after in zip(template.split("/"), filled.split("/"), strict=True):
        if after in (".", "..") and after != before:
            raise Refused(f"The version {version!r} names no directory of migrations")
    return Path(filled)
