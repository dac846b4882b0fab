"""The unit for systemd that is shipped: what it asks of the program is what the program does."""

import shlex
import subprocess
import sys
from pathlib import Path

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "stadtfunk.service"


def section(name: str) -> dict[str, str]:
    """The keys of a section; each stands once, but for lists that go on."""
    lines = UNIT.read_text(encoding="utf-8").split(f"[{name}]\n")[1].split("\n[")[0].splitlines()
    pairs = [(key, value) for key, _, value in (line.partition("=") for line in lines if line and line[0] != "#")]
    pairs = [(key, value) for key, value in pairs if key != "SystemCallFilter"]
    found = dict(pairs)
    assert len(found) == len(pairs)
    return found


def test_a_reload_is_the_signal_that_has_settings_read_again() -> None:
    """SIGHUP to the main process, and a restart only for what failed."""
    service = section("Service")
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (service["Type"], service["Restart"]) == ("notify", "on-failure")
    assert service["WatchdogSec"]


def test_the_command_is_one_that_there_is() -> None:
    """With the option that it is given."""
    program, *words = shlex.split(section("Service")["ExecStart"])
    assert Path(program).name == "stadtfunk"
    installed = Path(sys.executable).with_name("stadtfunk")
    said = subprocess.run([installed, words[0], "--help"], capture_output=True, text=True, check=True)
    assert words[1] in said.stdout
