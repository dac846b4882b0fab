"""Lines as routing engines encode them.

Source: Google "Encoded Polyline Algorithm Format"; OSRM's `polyline6` and Valhalla's shapes have six digits of a degree
instead of five, latitude first.
"""

from collections.abc import Iterator

from rules.waste.route.day_plan import Line

SCALE = 1_000_000
FIRST, LAST = 63, 126
"""Letters stand for 0 to 63."""
MORE, BITS, LOW = 0x20, 5, 0x1F
MOST_BITS = 35
"""More than any difference of two positions needs."""


class PolylineError(ValueError):
    """No polyline; the message says what was found where."""


def decode(text: str) -> Line:
    """The points as (longitude, latitude); raises PolylineError."""
    steps = list(_steps(text))
    if len(steps) % 2:
        raise PolylineError(f"a polyline of {len(steps)} numbers, expected pairs")
    found, longitude, latitude = [], 0, 0
    for up, right in zip(steps[::2], steps[1::2], strict=True):
        longitude, latitude = longitude + right, latitude + up
        found.append((longitude / SCALE, latitude / SCALE))
    return tuple(found)


def _steps(text: str) -> Iterator[int]:
    """The numbers: groups of five bits, lowest first, the sign in the lowest bit."""
    value = shift = 0
    for place, letter in enumerate(text):
        group = ord(letter) - FIRST
        if not 0 <= group <= LAST - FIRST or shift > MOST_BITS:
            raise PolylineError(f"a polyline with {letter!r} at {place}, expected another letter")
        value |= (group & LOW) << shift
        shift += BITS
        if not group & MORE:
            yield ~(value >> 1) if value & 1 else value >> 1
            value = shift = 0
    if shift:
        raise PolylineError("a polyline that ends in the middle of a number")
