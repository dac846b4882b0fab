"""Pictures as SVG."""

import xml.etree.ElementTree as ET

from rules.svg import Point, Size, circle, line, picture, polygon, polyline, text, titled

SPACE = "{http://www.w3.org/2000/svg}"


def test_a_picture_is_well_formed_and_says_what_it_shows() -> None:
    """Size, title, description and background; what is on it comes last."""
    root = ET.fromstring(picture(Size(200, 100.5), "<A> & B", ['<circle r="1"/>'], 'over "there"'))  # noqa: S314 - our own
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == ("0 0 200 100.5", "200", "100.5")
    assert [child.tag.removeprefix(SPACE) for child in root] == ["title", "desc", "rect", "circle"]
    assert (root[0].text, root[1].text) == ("<A> & B", 'over "there"')
    assert root.get("role") == "img"


def test_a_picture_without_description_has_none() -> None:
    """No empty element that a reader would announce."""
    assert "<desc>" not in picture(Size(1, 1), "a", [])


def test_parts_escape_words_and_attributes() -> None:
    """Whatever a name holds, it stays text."""
    evil = '"><script>&'
    found = ET.fromstring(text(Point(1, 2), evil, font_size=11, fill=evil))  # noqa: S314 - our own
    assert (found.text, found.get("fill"), found.get("font-size")) == (evil, evil, "11")
    assert titled(evil) == '<title>"&gt;&lt;script&gt;&amp;</title>'


def test_parts_are_where_they_are_put() -> None:
    """To a tenth of a pixel."""
    assert line(Point(0, 1.04), Point(2, 3), stroke_width=1.5) == (
        '<line x1="0.0" y1="1.0" x2="2.0" y2="3.0" stroke-width="1.5"/>'
    )
    assert polyline([Point(0, 0), Point(1, 2)]) == '<polyline points="0.0,0.0 1.0,2.0"/>'
    assert polygon([Point(0, 0), Point(1, 2)], fill="red") == '<polygon points="0.0,0.0 1.0,2.0" fill="red"/>'
    assert circle(Point(1, 2), 3) == '<circle cx="1.0" cy="2.0" r="3"/>'
    assert circle(Point(1, 2), 3, titled("a")) == '<circle cx="1.0" cy="2.0" r="3"><title>a</title></circle>'
