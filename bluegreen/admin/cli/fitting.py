"""What a terminal may be too narrow for. In a pipe, where lines are not broken, all of it stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

UNBOUNDED = 10_000
"""Columns, to measure how many something would take."""


@dataclass(frozen=True, slots=True)
class OneLine:
    """Cut where the line ends, with a mark that there is more."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        for line in self.text.split("\n"):
            if not _is_pipe(options):
                line.truncate(options.max_width, overflow="ellipsis")
            yield line


@dataclass(frozen=True, slots=True)
class Indented:
    """Its further lines begin below the first one, `indent` columns further in."""

    text: Text
    indent: int = 2

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if _is_pipe(options) or options.max_width <= 2 * self.indent:
            yield self.text
            return
        first, *rest = self.text.wrap(console, options.max_width - self.indent)
        yield first
        for line in rest:
            yield Text(" " * self.indent).append_text(line)


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The wide one where there is room for it, else the narrow one."""

    wide: RenderableType
    narrow: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        wanted = console.measure(self.wide, options=options.update(width=UNBOUNDED)).maximum
        yield self.wide if wanted <= options.max_width else self.narrow


def _is_pipe(options: ConsoleOptions) -> bool:
    """Whether lines are left for whoever reads them to break."""
    return options.no_wrap is True and options.overflow == "ignore"
