"""What README.md and docs/ let other programs do: targets, files, units, packages, variables that they name exist."""

import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import ROOT, Command

PACKAGES = {"python3-venv", "make", "mosquitto", "curl"}
"""What Debian 12 and 13 call them."""
OUTSIDE = re.compile(r"/(etc|opt|usr|var)/\S+")
VARIABLES_ARE_READ_IN = ("deploy/watch", "deploy/backup", "ingest/commands/provision.py")
LINES = [line for line in pages.commands() if line[0].words[0] != "stadtfunk" and not line[0].followed]
Check = Callable[[Sequence[str]], bool]


def project() -> dict[str, object]:
    """The project's own description of itself."""
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def here(name: str) -> bool:
    """Whether the repository has it; a pattern must mean something."""
    return any(True for _ in ROOT.glob(name.rstrip("/")))


def makes(words: Sequence[str]) -> bool:
    """A target that the Makefile explains; options behind ARGS are known to the program that gets them."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    target, *rest = words
    explained = re.search(rf"^{re.escape(target)}: .*##", makefile, re.MULTILINE)
    recipe = re.search(rf"^{re.escape(target)}:[^\n]*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    options = re.findall(r"--[a-z-]+", " ".join(rest))
    source = (ROOT / "tests" / "faults" / "run.py").read_text(encoding="utf-8") if target == "faults" else ""
    return bool(explained and recipe) and all(f'"{option}"' in source for option in options)


def copies(words: Sequence[str]) -> bool:
    """What is copied is in the repository, and goes to where a system keeps such things."""
    *sources, target = (word for word in words if not word.startswith("-"))
    return bool(sources) and all(here(source) for source in sources) and OUTSIDE.fullmatch(target) is not None


def installs(words: Sequence[str]) -> bool:
    """This package at its present version, extras that it has, or the locked requirements."""
    description = project()
    extras = description["optional-dependencies"]
    assert isinstance(extras, dict)
    for word in words:
        extra = re.fullmatch(r"stadtfunk\[(\w+)\]", word)
        known = (
            (extra is not None and extra[1] in extras)
            or word == f"stadtfunk-{description['version']}-py3-none-any.whl"
            or (word.endswith(".lock") and here(word))
            or word in {"install", "--require-hashes", "-r", "--no-deps"}
        )
        if not known:
            return False
    return True


def runs_units(words: Sequence[str]) -> bool:
    """Systemctl is asked for units that deploy/systemd has."""
    verb, *units = (word for word in words if not word.startswith("-"))
    names = [unit if "." in unit else f"{unit}.service" for unit in units]
    return (bool(units) or verb == "daemon-reload") and all(here(f"deploy/systemd/{name}") for name in names)


def scripted(name: str) -> Check:
    """A script of deploy/: it can be run, and its own help names every option that is used."""

    def check(words: Sequence[str]) -> bool:
        path = ROOT / name
        said = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
        options = [word for word in words if word.startswith("-")]
        return os.access(path, os.X_OK) and name in said and all(option in said for option in options)

    return check


def debian(words: Sequence[str]) -> bool:
    """Packages of Debian."""
    return words[0] == "install" and set(words[1:]) <= PACKAGES


def composes(words: Sequence[str]) -> bool:
    """Docker compose is asked for services that the stack has."""
    text = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    services = set(re.findall(r"^  ([a-z][a-z-]*):$", text, re.MULTILINE))
    verbs = {"exec", "logs", "ps", "restart", "stop", "up", "pull"}
    return words[0] == "compose" and words[1] in verbs and (words[1] != "exec" or words[2] in services)


def asks(words: Sequence[str]) -> bool:
    """What curl asks is an address of the service."""
    routes = (ROOT / "ingest" / "http.py").read_text(encoding="utf-8")
    found = re.fullmatch(r"http://127\.0\.0\.1:8642(/[a-z/]+)", words[-1])
    return found is not None and f'"{found[1]}"' in routes


def anything(_: Sequence[str]) -> bool:
    """Nothing of ours is named."""
    return True


CHECKS: dict[str, Check] = {
    "make": makes,
    "cp": copies,
    "pip": installs,
    "/opt/stadtfunk/bin/pip": installs,
    "systemctl": runs_units,
    "journalctl": lambda words: runs_units(["status", words[words.index("-u") + 1]]),
    "deploy/up": scripted("deploy/up"),
    "deploy/backup": scripted("deploy/backup"),
    "deploy/restore": scripted("deploy/restore"),
    "deploy/credentials": scripted("deploy/credentials"),
    "apt": debian,
    "docker": composes,
    "pytest": lambda words: all(here(word) for word in words if "/" in word),
    "python": lambda words: here(words[0]),
    "python3": lambda words: words[:2] == ["-m", "venv"],
    "source": lambda words: words == [".venv/bin/activate"],
    "mkdir": lambda words: OUTSIDE.fullmatch(words[-1]) is not None,
    "ln": lambda words: (
        words[0] == "-s" and words[1].startswith("/opt/stadtfunk/bin/") and words[2] == "/usr/local/bin/"
    ),
    "git": lambda words: words[0] in {"clone", "pull"},
    "cd": lambda words: words in (["stadtfunk"], ["deploy"]),
    "curl": asks,
    "systemd-sysusers": anything,
    "systemd-tmpfiles": anything,
}


@pytest.mark.parametrize("command", [part for line in LINES for part in line], ids=lambda command: command.text)
def test_what_a_command_names_is_there(command: Command) -> None:
    """A program that is known here, with targets, files, units or packages that exist."""
    assert CHECKS[command.words[0]](command.words[1:]), command


@pytest.mark.parametrize(("page", "name"), sorted(set(pages.variables())))
def test_a_variable_is_read_by_somebody(page: str, name: str) -> None:
    """A line that sets a variable sets one that a program of ours reads."""
    assert any(name in (ROOT / program).read_text(encoding="utf-8") for program in VARIABLES_ARE_READ_IN), page


@pytest.mark.parametrize(
    "words",
    [
        "make dance",
        'make faults ARGS="--dance 1"',
        "cp deploy/systemd/dance.service /etc/systemd/system/",
        "cp deploy elsewhere",
        "pip install stadtfunk[dance]",
        "/opt/stadtfunk/bin/pip install stadtfunk-9.9.9-py3-none-any.whl",
        "systemctl enable dance",
        "systemctl stop",
        "deploy/up --dance",
        "apt install dance",
        "docker compose exec dance sh",
        "pytest tests/dance",
        "cd dance",
        "curl http://127.0.0.1:8642/dance",
    ],
)
def test_what_is_not_there_is_found(words: str) -> None:
    """The checks can fail."""
    command = Command("", words, followed=False)
    assert not CHECKS[command.words[0]](command.words[1:])


def test_every_followed_page_has_a_test_of_its_own() -> None:
    """A page whose commands are marked is followed step by step elsewhere."""
    marked = {line[0].page for line in pages.commands() if line[0].followed}
    assert marked
    for page in marked:
        assert (Path(__file__).parent / f"test_{Path(page).stem.replace('-', '_')}.py").exists(), page
