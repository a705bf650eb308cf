"""A table for the terminal that stays straight with every script."""

import unicodedata
from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Draws a table.

    Args:
        heads: What stands above the columns. Let text from people be the last one: a terminal
            turns what stands beside letters that are written from the right.
        rows: The cells; None shows as a dash.
    """
    cells = [[_printable(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell + " " * (n - width(cell)) for cell, n in zip(row, widths, strict=True))
        for row in (cells[0], ["─" * n for n in widths], *cells[1:])
    ]
    return "\n".join(line.rstrip() for line in lines)


def _printable(cell: object) -> str:
    text = "-" if cell is None else str(cell)
    return "".join(c if c.isprintable() or c == "\u200d" else " " for c in text)


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
