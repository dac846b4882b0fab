"""README.md and docs/ as their reader meets them: the commands in their blocks, and those within the text."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^(<!-- run -->\n)?```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?:[A-Z_]+=\S+ )?stadtfunk ([a-z][^`\n]*)`")
COMMENT = re.compile(r"(^|\s)#.*$")
VARIABLE = re.compile(r'(?:# ?)?(?:export )?([A-Z][A-Z0-9_]+)=("[^"]*"|\S*)(\s+#.*)?')
"""A line that sets a variable, or shows one that could be set."""


class Command(NamedTuple):
    """A command of a page; `followed` where a test of its own follows the page step by step."""

    page: str
    text: str
    followed: bool

    @property
    def words(self) -> list[str]:
        """As a shell splits it, without variables before it."""
        words = shlex.split(self.text)
        while len(words) > 1 and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        return words


def documents() -> list[Path]:
    """README.md and every page."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def lines() -> Iterator[tuple[str, str, bool]]:
    """Page, line, whether its page is followed step by step: every line of a block of commands."""
    for path in documents():
        for followed, language, block in BLOCK.findall(path.read_text(encoding="utf-8")):
            if language in {"sh", "bash", "console", "shell"}:
                for line in block.splitlines():
                    yield str(path.relative_to(ROOT)), line.strip(), bool(followed)


def commands() -> list[list[Command]]:
    """The commands of each line, in order; a line without any is left out."""
    found = []
    for page, line, followed in lines():
        text = COMMENT.sub("", line).strip()
        if text and not VARIABLE.fullmatch(text):
            found.append([Command(page, part.strip(), followed) for part in text.split("&&")])
    return found


def variables() -> list[tuple[str, str]]:
    """Page and name of every variable that a line of its own sets or shows."""
    found = ((page, VARIABLE.fullmatch(line)) for page, line, _ in lines())
    return [(page, match[1]) for page, match in found if match]


def mentions() -> list[tuple[str, str]]:
    """Page and words of every `stadtfunk …` within the text."""
    found = []
    for path in documents():
        text = BLOCK.sub("", path.read_text(encoding="utf-8"))
        found += [(str(path.relative_to(ROOT)), words) for words in INLINE.findall(text)]
    return found


def until_placeholder(words: str) -> list[str]:
    """The words of a mention that name a command: up to an option, a value, or something left out."""
    return re.split(r" (?=[^a-z])", words)[0].split()
