"""A page as its reader follows it: files are written, lines edited, commands run, in order."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"<!-- (file|append|edit|run|expect|fail)(?:: ([^\n]*?))? -->\n(?:```\w+\n(.*?)```\n)?", re.DOTALL)
CODE = ("decoders", "rules", "ingest", "simulator", "deploy")
RUN_S = 200
Meant = Callable[[list[str]], list[str]]


class Step(NamedTuple):
    """A marked place of the page: what to do, with what, and the block behind it."""

    kind: str
    subject: str
    block: str


def steps(page: Path) -> list[Step]:
    """The marked places in their order."""
    text = page.read_text(encoding="utf-8")
    return [Step(kind, subject or "", block or "") for kind, subject, block in STEP.findall(text)]


class Reader:
    """Somebody with a checkout of their own who does what the page says.

    `copied` are the parts that the page changes or that must lie beside those; all other code is linked. `meant`
    turns the words of a command into those that hold here.
    """

    def __init__(self, folder: Path, copied: Sequence[str], meant: Meant = list) -> None:
        self.folder = folder
        self.meant = meant
        ignore = shutil.ignore_patterns("__pycache__")
        for name in copied:
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        for name in CODE:
            if not (folder / name).exists():
                (folder / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / "pyproject.toml", folder)
        self.last: subprocess.CompletedProcess[str] | None = None

    def follow(self, step: Step) -> None:
        """Do one step."""
        path = self.folder / step.subject
        if step.kind == "file":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.block, encoding="utf-8")
        elif step.kind == "append":
            path.write_text(f"{path.read_text(encoding='utf-8')}\n{step.block}", encoding="utf-8")
        elif step.kind == "edit":
            self.edit(path, step.block.splitlines())
        elif step.kind == "run":
            self.last = self.run(step.block.split())
        else:
            self.check(step)

    def edit(self, path: Path, lines: Sequence[str]) -> None:
        """Apply a difference whose old lines stand in the file once."""
        before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, (path, before)
        path.write_text(text.replace(before, after), encoding="utf-8")

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command of the page in the checkout."""
        program = {"pytest": "pytest", "stadtfunk": "ingest.cli"}[words[0]]
        command = [sys.executable, "-m", program, *self.meant(words[1:])]
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
        assert step.subject in said, said
