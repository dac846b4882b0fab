"""`stadtfunk codecs list` and `codecs show`: native codecs beside those of a folder, and what to trust of each."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from decoders.catalog import CODECS
from ingest.cli import app
from ingest.commands import codecs_described, codecs_vectors
from ingest.docs_sensors import vectors

PROGRAM = str(Path(sys.executable).with_name("stadtfunk"))
TANK = "function decodeUplink(input) { return {data: {level_cm: input.bytes[0], batV: 3.6}}; }"
TABLE = """family = "waste"
privacy = "internal"
vendor = "Acme"
[[field]]
path = "tank.0.level_cm"
quantity = "distance"
unit = "cm"
[[field]]
path = "batV"
quantity = "battery_voltage"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of codecs: a script with a table, one without, a table alone, and one that is broken."""
    made = tmp_path / "codecs"
    (made / "acme").mkdir(parents=True)
    (made / "acme" / "tank.js").write_text(TANK)
    (made / "acme" / "tank.toml").write_text(TABLE)
    (made / "acme" / "plain.js").write_text(TANK)
    (made / "acme" / "bench.toml").write_text(TABLE.replace('vendor = "Acme"\n', ""))
    (made / "acme" / "broken.js").write_text("function (")
    return made


def call(*words: str) -> Result:
    """What the command says."""
    return CliRunner().invoke(app, ["codecs", *words])


def listed(*words: str) -> dict[str, dict[str, Any]]:
    """The codecs of `codecs list --json` by id."""
    answer = call("list", "--json", *words)
    assert answer.exit_code == 0
    return {item["id"]: item for item in json.loads(answer.stdout)}


def row(text: str, codec_id: str) -> str:
    """The line of a codec."""
    (found,) = [line for line in text.splitlines() if line.split()[:1] == [codec_id]]
    return found


def test_codecs_of_a_folder_stand_beside_the_native_ones(folder: Path) -> None:
    """Each with its kind, in the order of ids; without the folder they are not there."""
    found = listed("--folder", str(folder))
    own = {"js/acme/tank": "javascript", "js/acme/plain": "javascript", "object/acme/bench": "object"}
    assert {name: found[name]["kind"] for name in own} == own
    assert found["chirpstack/object"]["kind"] == "object"
    assert {item["id"] for item in found.values() if item["kind"] == "native"} == {codec.id for codec in CODECS}
    assert list(found) == sorted(found)
    assert listed().keys() == found.keys() - own.keys()
    tank = found["js/acme/tank"]
    assert (tank["vendor"], tank["family"], tank["privacy"], tank["any_port"]) == ("Acme", "waste", "internal", True)


def test_a_refused_file_is_told_beside_the_list(folder: Path) -> None:
    """On standard error, so that a program still reads the array."""
    answer = call("list", "--json", "--folder", str(folder))
    assert "js/acme/broken" not in {item["id"] for item in json.loads(answer.stdout)}
    assert "acme/broken.js" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_marks_say_what_nobody_published(folder: Path) -> None:
    """A codec without a published payload is untested, one with values that none covers unverified; the rest is not."""
    found = listed("--folder", str(folder))
    text = call("list", "--folder", str(folder)).stdout
    assert "marks" in text.splitlines()[0]
    for codec in CODECS:
        marks = found[codec.id]["marks"]
        covered = all(item.verified for item in codec.fields())
        assert found[codec.id]["untested"] == codec.untested
        assert marks == (["untested against a device"] if codec.untested else [] if covered else ["unverified"])
        for mark in ("untested against a device", "unverified"):
            assert (mark in row(text, codec.id)) == (mark in marks)
    assert {(), ("unverified",), ("untested against a device",)} == {tuple(item["marks"]) for item in found.values()}
    assert found["js/acme/tank"]["marks"] == found["object/acme/bench"]["marks"] == ["unverified"]
    assert "unverified" in row(text, "js/acme/tank")


def test_show_tells_all_of_a_native_codec() -> None:
    """Parameters with their ports, fields with quantity and unit, what is verified, source, privacy, known payloads."""
    text = call("show", "decentlab/dl-pr26").stdout
    for part in (
        "privacy open",
        "f_port 1",
        "source: Decentlab DL-PR26",
        "parameter pmin (bar)",
        "vectors: 1 published, 1 worked",
    ):
        assert part in text
    found = json.loads(call("show", "decentlab/dl-pr26", "--json").stdout)
    assert [item["name"] for item in found["parameters"]] == ["pmin", "pmax"]
    field = next(item for item in found["fields"] if item["quantity"] == "water_temperature")
    assert (field["f_port"], field["unit"], field["verified"]) == (1, "°C", False)
    assert found["vectors"]["published"] == 1
    assert field.keys() >= {"frame", "channel", "low", "high", "step"}
    for quantity, mark in (("water_temperature", True), ("battery_voltage", False)):
        (line,) = [line for line in text.splitlines() if quantity in line]
        assert line.rstrip().endswith("unverified") == mark
    assert "untested against a device: nobody has published" in call("show", "cayenne/lpp").stdout


def test_show_tells_a_scripts_table(folder: Path) -> None:
    """Paths in the object, what becomes of them, the unit they are given in; none of it verified by us."""
    found = json.loads(call("show", "js/acme/tank", "--folder", str(folder), "--json").stdout)
    assert [(item["path"], item["quantity"], item["unit"], item["given_in"]) for item in found["fields"]] == [
        ("tank.0.level_cm", "distance", "mm", "cm"),
        ("batV", "battery_voltage", "V", "V"),
    ]
    assert not any(item["verified"] for item in found["fields"])
    text = call("show", "js/acme/tank", "--folder", str(folder)).stdout
    assert "source: vendor's JavaScript, acme/tank.js" in text
    assert "mm (given in cm)" in text
    assert "tank.0.level_cm" in text


def test_show_tells_common_names(folder: Path) -> None:
    """Without a table of its own: each quantity once, with all the names that stand for it."""
    for name in ("js/acme/plain", "chirpstack/object"):
        found = json.loads(call("show", name, "--folder", str(folder), "--json").stdout)
        quantities = [item["quantity"] for item in found["fields"]]
        assert len(set(quantities)) == len(quantities)
        (battery,) = [item for item in found["fields"] if item["quantity"] == "battery_voltage"]
        assert "batV" in battery["path"].split(" | ")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("show", "js/acme/tank"), 1, "codecs.folder"),
        (("show", "js/acme/tanc", "--folder", "{folder}"), 1, "did you mean 'js/acme/tank'"),
        (("show", "js/acme/broken", "--folder", "{folder}"), 1, "acme/broken.js"),
        (("list", "--folder", "{folder}/none"), 2, "none"),
        (("list", "--folder", "{folder}/acme/tank.js"), 2, "tank.js"),
    ],
)
def test_mistakes(folder: Path, words: tuple[str, ...], code: int, message: str) -> None:
    """An unknown codec or a folder that is none: the code, and one line that names it."""
    answer = call(*(word.replace("{folder}", str(folder)) for word in words))
    assert answer.exit_code == code
    assert message in " ".join((str(answer.exception) if code == 1 else answer.stderr).split()).replace(" │ │ ", "")


def test_the_installed_command(folder: Path) -> None:
    """As its users call it: a table without a terminal is never cut, JSON is nothing but JSON."""
    words = ("--folder", str(folder))
    run = {
        name: subprocess.run(
            [PROGRAM, "codecs", *given], capture_output=True, text=True, timeout=60, check=False, cwd=folder
        )
        for name, given in {
            "list": ("list", *words),
            "json": ("list", "--json", *words),
            "show": ("show", "js/acme/tank", *words),
            "unknown": ("show", "js/acme/none", *words),
        }.items()
    }
    assert {name: answer.returncode for name, answer in run.items()} == {"list": 0, "json": 0, "show": 0, "unknown": 1}
    assert "unverified" in row(run["list"].stdout, "js/acme/tank")
    assert len(json.loads(run["json"].stdout)) == len(CODECS) + 4
    assert "distance" in run["show"].stdout
    assert len(run["unknown"].stderr.splitlines()) == 1


def test_the_shipped_counts_are_those_of_the_vectors() -> None:
    """An installation has no vectors to count; what it has instead is written anew whenever they change."""
    text = Path(codecs_vectors.__file__).with_name(codecs_vectors.FILE).read_text(encoding="utf-8")
    assert text == codecs_vectors.page()
    assert codecs_vectors.counts() == vectors()
    assert codecs_described.summary(CODECS[0])["vectors"] == vectors()[CODECS[0].id]._asdict()
