"""docs/adding-a-sensor.md as its reader follows it: files are written, lines edited, commands run, in order."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-sensor.md"
STEP = re.compile(r"<!-- (file|edit|run|expect|fail)(?:: ([^\n]*?))? -->\n(?:```\w+\n(.*?)```\n)?", re.DOTALL)
COPIED = ("decoders", "tests/decoders", "tests/vectors")
LINKED = ("ingest", "rules", "simulator", "deploy")
RUN_S = 110


class Step(NamedTuple):
    """A marked place of the page: what to do, with what, and the block behind it."""

    kind: str
    subject: str
    block: str


def steps() -> list[Step]:
    """The marked places in their order."""
    text = PAGE.read_text(encoding="utf-8")
    return [Step(kind, subject or "", block or "") for kind, subject, block in STEP.findall(text)]


class Reader:
    """Somebody with a checkout of their own who does what the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignore = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / "pyproject.toml", folder)
        self.last: subprocess.CompletedProcess[str] | None = None

    def follow(self, step: Step) -> None:
        """Do one step."""
        path = self.folder / step.subject
        if step.kind == "file":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.block, encoding="utf-8")
        elif step.kind == "edit":
            context, added = (line[1:] for line in step.block.splitlines())
            text = path.read_text(encoding="utf-8")
            assert text.count(f"{context}\n") == 1
            path.write_text(text.replace(f"{context}\n", f"{context}\n{added}\n"), encoding="utf-8")
        elif step.kind == "run":
            self.last = self.run(step.block.split())
        else:
            self.check(step)

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command of the page in the checkout."""
        program = {"pytest": "pytest", "stadtfunk": "ingest.cli"}[words[0]]
        command = [sys.executable, "-m", program, *words[1:]]
        if program == "pytest":
            command += ["-p", "no:cacheprovider", "-p", "no:xdist"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )

    def check(self, step: Step) -> None:
        """Compare what the page says of the last command with what it did."""
        assert self.last is not None
        said = self.last.stdout + self.last.stderr
        assert (self.last.returncode == 0) == (step.kind == "expect"), said
        assert step.subject in said


@pytest.mark.timeout(300)
def test_the_page_can_be_followed(tmp_path: Path) -> None:
    """Every step of the page does what the page says."""
    reader = Reader(tmp_path)
    for step in steps():
        reader.follow(step)


def test_the_page_has_its_steps() -> None:
    """The marks are found: each command has an outcome that is checked."""
    kinds = [step.kind for step in steps()]
    assert kinds.count("run") == kinds.count("expect") + kinds.count("fail") >= 4
    assert kinds.count("file") >= 5
    assert kinds.count("edit") == 2
