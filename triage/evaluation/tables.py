"""Tables of text, for a terminal and for Markdown."""

from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def plain(self) -> str:
        columns = zip(*chain([self.head], self.rows), strict=True)
        widths = [max(map(len, column)) for column in columns]
        lines = [self.title, _padded(self.head, widths), _padded(["-" * w for w in widths], widths)]
        return "\n".join(chain(lines, (_padded(row, widths) for row in self.rows)))

    def markdown(self) -> str:
        rows = chain([self.head, ("---",) * len(self.head)], self.rows)
        lines = (f"| {' | '.join(cell.replace('|', '\\|') for cell in row)} |" for row in rows)
        return "\n".join(chain([f"**{self.title}**", ""], lines))


def _padded(cells: "tuple[str, ...] | list[str]", widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
