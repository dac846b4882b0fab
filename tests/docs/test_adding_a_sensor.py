"""docs/adding-a-sensor.md as its reader follows it."""

from pathlib import Path

import pytest

from tests.docs.follow import ROOT, Reader, steps

PAGE = ROOT / "docs" / "adding-a-sensor.md"
COPIED = ("decoders", "tests/decoders", "tests/vectors")


@pytest.mark.timeout(300)
def test_the_page_can_be_followed(tmp_path: Path) -> None:
    """Every step of the page does what the page says."""
    reader = Reader(tmp_path, COPIED)
    for step in steps(PAGE):
        reader.follow(step)


def test_the_page_has_its_steps() -> None:
    """The marks are found: each command has an outcome that is checked."""
    kinds = [step.kind for step in steps(PAGE)]
    assert kinds.count("run") == kinds.count("expect") + kinds.count("fail") >= 4
    assert kinds.count("file") >= 5
    assert kinds.count("edit") == 2
