"""The command line, as its users meet it: output, exit codes, one line of error."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from typer.core import TyperGroup as Group
from typer.main import get_command
from typer.testing import CliRunner

from ingest.cli import app
from tests.ingest.uplinks import CITY

PROGRAM = str(Path(sys.executable).with_name("stadtfunk"))
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the program in an empty folder."""

    def call(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **variables},
            check=False,
        )

    return call


def commands(group: Group, *path: str) -> list[tuple[str, ...]]:
    """All commands below this one."""
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += commands(command, *path, name) if isinstance(command, Group) else [(*path, name)]
        found += [(*path, name)] if isinstance(command, Group) and command.invoke_without_command else []
    return found


def test_every_command_has_help_with_an_example() -> None:
    """`--help` works everywhere, exits 0 and shows an example."""
    for entry in entry_points(group="stadtfunk.commands"):
        entry.load()(app)
    group = get_command(app)
    assert isinstance(group, Group)
    found = commands(group)
    assert {("run",), ("demo",), ("check",), ("decode",), ("simulate",), ("codecs", "list")} <= set(found)
    assert ("dead-letters", "retry") in found
    for path in found:
        answer = CliRunner().invoke(app, [*path, "--help"], prog_name="stadtfunk")
        assert answer.exit_code == 0
        assert "Example: stadtfunk " + " ".join(path) in " ".join(answer.stdout.split()), path


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["decode", "-m", "bosch/tps110", "-p", "77", "00"], 1, "no frame on f_port 77"),
        (["decode", "-m", "bosch/tps11", "-p", "1", "00"], 1, "did you mean 'bosch/tps110'"),
        (["decode", "-m", "bosch/tps110", "-p", "1", "xyz!"], 1, "neither hexadecimal nor base64"),
        (["decode", "-m", "bosch/tps110", "00"], 2, "--f-port"),
        (["codecs", "show", "nope"], 1, "nope"),
        (["run", "-c", "missing.toml"], 1, "missing.toml does not exist"),
        (["dead-letters", "list"], 1, "journal.db does not exist"),
        (["dead-letters", "retry"], 2, "give numbers, or --all"),
        (["dance"], 2, "dance"),
        (["simulate", "--for", "soon"], 2, "soon"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_clear_line(run: Run, words: list[str], code: int, message: str) -> None:
    """The exit code says failed (1) or wrong usage (2); the message names the thing; no traceback."""
    answer = run(*words)
    assert answer.returncode == code
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
    if code == 1:
        assert len(answer.stderr.splitlines()) == 1


def test_decode_takes_hex_and_base64(run: Run) -> None:
    """The same payload in both forms gives the same readings."""
    plain = run("decode", "--model", "bosch/tps110", "--f-port", "2", "0112", "--json")
    assert json.loads(plain.stdout)[0]["readings"] == [
        {"quantity": "occupied", "value": 1.0, "unit": "", "channel": ""},
        {"quantity": "device_temperature", "value": 18.0, "unit": "°C", "channel": ""},
    ]
    assert run("decode", "-m", "bosch/tps110", "-p", "2", "ARI=", "--json").stdout == plain.stdout
    assert "occupied" in run("decode", "-m", "bosch/tps110", "-p", "2", "01 12").stdout


def test_codecs_list_is_an_array(run: Run) -> None:
    """`codecs list --json` is an array with the nine models; `show` names units and what is unverified."""
    found = json.loads(run("codecs", "list", "--json").stdout)
    assert {codec["id"] for codec in found} >= {
        "elsys/generic",
        "decentlab/dl-pm",
        "milesight/em400-mud",
        "milesight/em310-udl",
        "bosch/tps110",
        "nwave/nps405",
        "pmx/tcr",
        "parametric/pcr2",
        "pepperl-fuchs/wilsen-sonic",
    }
    shown = json.loads(run("codecs", "show", "nwave/nps405", "--json").stdout)
    assert {field["verified"] for field in shown["fields"]} == {True, False}
    assert "unverified" in run("codecs", "show", "nwave/nps405").stdout


def test_settings_mistakes_name_the_key(run: Run, tmp_path: Path) -> None:
    """An unknown key names the nearest known one; a value out of range names key and value; a secret is not shown."""
    settings = tmp_path / "stadtfunk.toml"
    settings.write_text('[mqtt]\nhots = "x"\n')
    assert "mqtt: unknown key 'hots'; did you mean 'host'?" in run("check").stderr
    settings.write_text("[mqtt]\nport = 70000\n")
    assert "mqtt.port" in run("check").stderr
    assert "70000" in run("check").stderr
    settings.write_text("[mqtt\n")
    assert "stadtfunk.toml" in run("check").stderr
    settings.write_text("")
    answer = run("check", STADTFUNK_MQTT__PASSWORD="geheim", STADTFUNK_MQTT__PORT="x")
    assert answer.returncode == 1
    assert "geheim" not in answer.stderr + answer.stdout


def test_check_names_what_is_wrong(run: Run, tmp_path: Path) -> None:
    """A bad city, an unknown codec and an unreachable broker are one line each; the exit code says failed."""
    broken = json.loads(json.dumps(CITY))
    broken["features"][0]["properties"]["capacity"] = "many"
    (tmp_path / "city.geojson").write_text(json.dumps(broken))
    (tmp_path / "stadtfunk.toml").write_text(
        '[city]\nfile = "city.geojson"\n[mqtt]\nport = 1\n[codecs.profiles]\n"Acme" = "acme/one"\n'
    )
    answer = run("check", "--json")
    assert answer.returncode == 1
    levels = {finding["subject"]: (finding["level"], finding["text"]) for finding in json.loads(answer.stdout)}
    assert levels["city.file"][0] == "error"
    assert "lot-markt" in levels["city.file"][1]
    assert "capacity" in levels["city.file"][1]
    assert levels["codecs.profiles.Acme"][0] == "error"
    assert levels["mqtt"][0] == "error"
    assert levels["journal.path"][0] == "ok"


def test_version(run: Run) -> None:
    """`--version` prints the version alone."""
    assert run("--version").stdout.strip().count(".") == 2
