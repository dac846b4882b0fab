"""docs/troubleshooting.md quotes the program's own words."""

import re
from pathlib import Path

import pytest
from mqtt5 import ConnAckReasonCode

from ingest.dead_letter import Reason
from ingest.mqtt_error import in_words

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = ("It does not start", "Nothing arrives", "It arrives and does not get on", "Commands refuse")
"""Sections whose tables begin with what the program says."""
CODE = re.compile(r"`([^`]*)`")
OF_THE_CODE = {
    in_words(code).replace(str(code.value), "…")
    for code in (ConnAckReasonCode.NOT_AUTHORIZED, ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD)
}
"""Words made from the names of MQTT's reason codes."""


def section(title: str) -> str:
    """The text between this heading and the next."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(title: str) -> list[str]:
    """What stands first in the rows of a section's table."""
    rows = [line.split(" | ")[0].removeprefix("| ") for line in section(title).splitlines() if line.startswith("| ")]
    return rows[1:]


def said() -> list[str]:
    """Everything that is quoted as the program's words."""
    cells = [cell for title in QUOTED for cell in first_cells(title)]
    found = {words for cell in cells for words in CODE.findall(cell) if " " in words or words.endswith(("…", ":"))}
    return sorted(words for words in found if words not in OF_THE_CODE and not words.startswith("stadtfunk "))


def source() -> str:
    """The program's text, with strings that are written in several parts joined."""
    files = (path for name in ("ingest", "rules", "decoders") for path in sorted((ROOT / name).rglob("*.py")))
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return re.sub(r'"\s*\n\s*f?"', "", text)


SOURCE = source()


@pytest.mark.parametrize("words", said())
def test_the_program_says_so(words: str) -> None:
    """Each part of a message that stands still is found in the program."""
    parts = [part.strip() for part in words.split("…")]
    assert any(len(part) > 3 for part in parts)
    assert all(part.rstrip(":;") in SOURCE for part in parts)


def test_enough_is_quoted() -> None:
    """The messages are found at all."""
    assert len(said()) > 25


def test_every_reason_of_dead_letters_is_explained() -> None:
    """Each once, and none that does not exist."""
    assert sorted(cell.strip("`") for cell in first_cells("Dead letters")) == sorted(Reason)
