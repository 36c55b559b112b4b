"""The service file: what an operator writes, read at the edge into the domain's catalogue."""

from __future__ import annotations

from bluegreen.admin.service_file.problem import BadServiceFile, Problem
from bluegreen.admin.service_file.reading import read_service_file
from bluegreen.admin.service_file.service_file import schema

__all__ = ["BadServiceFile", "Problem", "read_service_file", "schema"]
