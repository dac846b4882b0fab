"""Where a key stands in a TOML file: the standard library's parser does not tell."""

import re
from collections.abc import Mapping, Sequence

HEADER = re.compile(r"\s*(\[{1,2})\s*([A-Za-z0-9_.-]+)\s*\]{1,2}")
KEY = re.compile(r"\s*\"?([A-Za-z0-9_-]+)\"?\s*=")

Place = tuple[str | int, ...]


def places(text: str) -> Mapping[Place, int]:
    """The line (from 1) of each table and key: `("rain", 0)`, `("rain", 0, "mm_per_hour")`, `("title",)`."""
    found: dict[Place, int] = {(): 1}
    numbers: dict[str, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := HEADER.match(line):
            name = header[2]
            table = (name,)
            if header[1] == "[[":
                numbers[name] = numbers.get(name, -1) + 1
                found.setdefault((name,), number)
                table = (name, numbers[name])
            found.setdefault(table, number)
        elif key := KEY.match(line):
            found.setdefault((*table, key[1]), number)
    return found


def line_of(place: Sequence[str | int], lines: Mapping[Place, int]) -> int:
    """The line of a key, or of the nearest thing around it."""
    for length in range(len(place), -1, -1):
        number = lines.get(tuple(place[:length]))
        if number is not None:
            return number
    return 1
