"""Small drawings as text: SVG that stands alone, light and dark, and says in words what it shows.

They are 360 units wide, so that on a narrow phone the letters are as large as they say.
"""

from collections.abc import Iterable
from xml.sax.saxutils import escape

WIDTH = 360

_STYLE = """\
svg { --paper: #ffffff; --ink: #1c1c1c; --quiet: #5f5f5f; --mark: #0b5394; --other: #a33b00; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #16181a; --ink: #f1f1f1; --quiet: #a8a8a8; --mark: #8ec5ff; --other: #ffb084; }
}
text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.small { font-size: 10px; }
.bold { font-size: 13px; font-weight: 700; }
.paper { fill: var(--paper); }
.line { fill: none; stroke: var(--quiet); }
.dashed { stroke-dasharray: 5 4; }
.mark { fill: var(--mark); stroke: var(--mark); }
.other { fill: var(--other); stroke: var(--other); }
.hollow { fill: var(--paper); stroke-width: 2; }
.path { fill: none; stroke-width: 2; }
"""


def drawing(title: str, description: str, height: int, parts: Iterable[str]) -> str:
    """Return a whole SVG of WIDTH by `height` units around the parts."""
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    named = 'role="img" aria-labelledby="title desc"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {named}>',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(description)}</desc>',
            f"<style>\n{_STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        )
    )


def words(
    x: float, y: float, text: str, *, anchor: str = "middle", kind: str = "", turned: bool = False
) -> str:
    """Return a text that is anchored at its "start", "middle" or "end"."""
    place = f'transform="translate({x:g} {y:g}) rotate(-90)"' if turned else f'x="{x:g}" y="{y:g}"'
    return f'<text class="{kind}" {place} text-anchor="{anchor}">{escape(text)}</text>'


def line(start: tuple[float, float], end: tuple[float, float], kind: str = "line") -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def dot(x: float, y: float, radius: float = 4, kind: str = "mark") -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>'


def box(x: float, y: float, width: float, height: float, kind: str = "mark") -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )
