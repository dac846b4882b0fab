"""On which line of a file something stands, for messages about it."""

import re

SECTION = re.compile(r"\s*\[\s*([^\]]+?)\s*\]")
FEATURE = re.compile(r"feature '([^']+)'")
KEYS = re.compile(r"[\w.-]+(?=:)")


def settings_line(text: str, message: str) -> int | None:
    """The line of the key that a message about settings begins with (`rules.device.silent_factor: …`)."""
    found = KEYS.match(message)
    if found is None:
        return None
    wanted, section = found[0], ""
    for number, line in enumerate(text.splitlines(), start=1):
        heading = SECTION.match(line)
        if heading is not None:
            section = heading[1].replace(" ", "")
        key = f"{section}.{line.partition('=')[0].strip()}" if "=" in line else section
        if key.strip(".").replace('"', "").replace("'", "") == wanted:
            return number
    return None


def feature_line(text: str, message: str) -> int | None:
    """The line of the id of the feature that a message about a city names."""
    found = FEATURE.search(message)
    if found is None:
        return None
    place = re.search(rf'"id"\s*:\s*"{re.escape(found[1])}"', text)
    return None if place is None else text.count("\n", 0, place.start()) + 1
