"""Pictures as SVG 1.1 text, without anything from outside: what all drawings begin with and are made of."""

from collections.abc import Iterable
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

FONT: Final = 'font-family="sans-serif"'
FONT_PX: Final = 12


Looks = dict[str, str | float]
"""Attributes, with _ for -."""


class Size(NamedTuple):
    """Width and height in px."""

    width: float
    height: float


class Point(NamedTuple):
    """A place on a picture, y downwards."""

    x: float
    y: float


def picture(size: Size, title: str, parts: Iterable[str], description: str = "") -> str:
    """A white picture that says what it shows to those who cannot see it."""
    extent = f'width="{size.width:g}" height="{size.height:g}"'
    frame = f'viewBox="0 0 {size.width:g} {size.height:g}" {extent}'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame} role="img" {FONT} font-size="{FONT_PX}">',
        titled(title),
        *([f"<desc>{escape(description)}</desc>"] if description else []),
        f'<rect {extent} fill="#ffffff"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def titled(text: str) -> str:
    """What the element around it says when pointed at, or read aloud."""
    return f"<title>{escape(text)}</title>"


def text(at: Point, words: str, **looks: str | float) -> str:
    """A line of text, its baseline there."""
    return f'<text x="{at.x:.1f}" y="{at.y:.1f}"{attributes(looks)}>{escape(words)}</text>'


def line(begin: Point, end: Point, **looks: str | float) -> str:
    """A straight line."""
    ends = f'x1="{begin.x:.1f}" y1="{begin.y:.1f}" x2="{end.x:.1f}" y2="{end.y:.1f}"'
    return f"<line {ends}{attributes(looks)}/>"


def polyline(points: Iterable[Point], **looks: str | float) -> str:
    """A line through points."""
    return f'<polyline points="{_path(points)}"{attributes(looks)}/>'


def polygon(points: Iterable[Point], **looks: str | float) -> str:
    """A closed figure."""
    return f'<polygon points="{_path(points)}"{attributes(looks)}/>'


def circle(centre: Point, radius: float, inner: str = "", **looks: str | float) -> str:
    """A circle; `inner` are elements within it, such as its title."""
    begin = f'<circle cx="{centre.x:.1f}" cy="{centre.y:.1f}" r="{radius:g}"{attributes(looks)}'
    return f"{begin}>{inner}</circle>" if inner else f"{begin}/>"


def attributes(looks: Looks) -> str:
    """Attributes as they stand in an element, each with a space before it."""
    return "".join(f" {name.replace('_', '-')}={quoteattr(_value(value))}" for name, value in looks.items())


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _path(points: Iterable[Point]) -> str:
    return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in points)
