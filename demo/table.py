"""A table for the terminal, at most 100 columns wide."""

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 100


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Draws a table whose columns stay aligned in every script.

    Args:
        heads: The names of the columns. Text from people belongs into the last one: a terminal
            reverses what follows letters that are written from right to left.
        rows: The cells; None shows as a dash.
    """
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for head in heads:
        grid.add_column(head, no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(_printable(cell)) for cell in row))
    output = io.StringIO()
    Console(file=output, width=WIDTH, color_system=None).print(grid)
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines())


def _printable(cell: object) -> str:
    text = "-" if cell is None else str(cell)
    return "".join(c if c.isprintable() or c == "\u200d" else " " for c in text)
