"""Generate the Python code of our `.proto` files, or with `--check` tell whether it is up to date.

The generated modules are committed, so that installing the project needs no protobuf compiler.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
ROOT = PROTOS.parent


def generate(target: Path) -> list[Path]:
    """Compile every `.proto` below `protos/` into `target`; return the generated files, relative to it."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    arguments = ["protoc", f"-I{PROTOS}", f"--python_out={target}", f"--pyi_out={target}"]
    arguments += [f"--grpc_python_out={target}", *sources]
    if protoc.main(arguments) != 0:
        raise SystemExit("protos: the compiler refused a file; its message stands above")
    return sorted(path.relative_to(target) for path in target.rglob("*_pb2*.py*") if path.suffix != ".pyc")


def stale() -> list[Path]:
    """The generated files that differ from what the `.proto` files say now."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        return [
            path
            for path in generate(fresh)
            if not (ROOT / path).exists() or (ROOT / path).read_bytes() != (fresh / path).read_bytes()
        ]


def main() -> None:
    if "--check" not in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            for path in generate(Path(folder)):
                (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
                (ROOT / path).write_bytes((Path(folder) / path).read_bytes())
                if not (ROOT / path.parent / "__init__.py").exists():
                    (ROOT / path.parent / "__init__.py").write_text("")
        return
    if outdated := stale():
        names = ", ".join(str(path) for path in outdated)
        raise SystemExit(f"protos: out of date: {names}. Run `make protos` and commit the result.")


if __name__ == "__main__":
    main()
