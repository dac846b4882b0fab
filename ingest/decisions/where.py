"""On which line of a file something stands, for messages about it."""

import re
from collections.abc import Iterator
from pathlib import Path

SECTION = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
TABLE = re.compile(r"\s*\[\[\s*([^\[\]]+?)\s*\]\]")
FEATURE = re.compile(r"feature '([^']+)'")
KEYS = re.compile(r"[\w.-]+(?=:)")


def settings_line(text: str, message: str) -> int | None:
    """The line of the key that a message about settings begins with (`rules.device.silent_factor: …`).

    A key in one of several tables of a name has its number (`rules.custom.0.when`); where it is not found the nearest
    one around it counts.
    """
    found = KEYS.match(message)
    if found is None:
        return None
    wanted = found[0]
    lines, numbered = dict[str, int](), set[str]()
    for number, key, table in _keys(text):
        lines.setdefault(key, number)
        numbered |= {table} if table else set()
    while wanted not in lines:
        outer = wanted.rpartition(".")[0]
        if not any(wanted.startswith(f"{table}.") for table in numbered):
            return None
        wanted = outer
    return lines[wanted]


def with_lines(file: Path | None, message: str) -> str:
    """Each part of a message about settings with the line of the file that it is about."""
    if file is None:
        return message
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return message
    parts = message.split("; ")
    lines = [settings_line(text, part) for part in parts]
    return "; ".join(
        part if line is None else f"{file}, line {line}: {part}" for part, line in zip(parts, lines, strict=True)
    )


def feature_line(text: str, message: str) -> int | None:
    """The line of the id of the feature that a message about a city names."""
    found = FEATURE.search(message)
    if found is None:
        return None
    place = re.search(rf'"id"\s*:\s*"{re.escape(found[1])}"', text)
    return None if place is None else text.count("\n", 0, place.start()) + 1


def _keys(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, key, and the table that begins there where it is one of several of its name."""
    section, counts = "", dict[str, int]()
    for number, line in enumerate(text.splitlines(), start=1):
        table, heading = TABLE.match(line), SECTION.match(line)
        name = table[1].replace(" ", "") if table else ""
        if table:
            counts[name] = counts.get(name, -1) + 1
            section = f"{name}.{counts[name]}"
        elif heading:
            section = _numbered(heading[1].replace(" ", ""), counts)
        key = f"{section}.{line.partition('=')[0].strip()}" if "=" in line and not table else section
        yield number, key.strip(".").replace('"', "").replace("'", ""), f"{name}.{counts[name]}" if table else ""


def _numbered(section: str, counts: dict[str, int]) -> str:
    """A section within one of several tables, with that table's number."""
    for name, number in counts.items():
        if section.startswith(f"{name}."):
            return f"{name}.{number}{section.removeprefix(name)}"
    return section
