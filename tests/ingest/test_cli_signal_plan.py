"""`stadtfunk signal-plan propose`."""

import json
import sys
from pathlib import Path

import pytest

from ingest import cli

ROAD = """
name = "Werler Straße"
limit_kmh = 50

[[junctions]]
name = "Südring"
position_m = 0
stages = [{name = "Werler Straße", flow_vph = 700, coordinated = true}, {name = "Südring", flow_vph = 450}]

[[junctions]]
name = "Marker Allee"
position_m = 500
limit_kmh = 30
stages = [{name = "Werler Straße", flow_vph = 650, coordinated = true}, {name = "Marker Allee", flow_vph = 350}]
"""


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command's exit code."""
    monkeypatch.setattr(sys, "argv", ["stadtfunk", "signal-plan", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.fixture
def road(tmp_path: Path) -> Path:
    """A road of two junctions."""
    file = tmp_path / "road.toml"
    file.write_text(ROAD, encoding="utf-8")
    return file


def test_a_proposal_as_json_and_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], road: Path, tmp_path: Path
) -> None:
    """Offsets, greens, speeds at or below the limits, and an SVG file."""
    picture = tmp_path / "road.svg"
    assert run(monkeypatch, "propose", str(road), "--json", "--diagram", str(picture)) == 0
    found = json.loads(capsys.readouterr().out)
    assert [junction["name"] for junction in found["junctions"]] == ["Südring", "Marker Allee"]
    assert found["junctions"][1]["progression_kmh"] <= 30
    for junction in found["junctions"]:
        assert sum(stage["green_s"] for stage in junction["stages"]) == found["cycle_s"] - 12
    assert 0 < found["efficiency"] <= 1
    assert "two people" in found["notice"]
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_a_proposal_as_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], road: Path) -> None:
    """One row a stage, the road's own marked, then cycle and bands."""
    assert run(monkeypatch, "propose", str(road), "--cycle", "90") == 0
    out = capsys.readouterr().out
    assert "Werler Straße *" in out
    assert "cycle 90 s" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "is no TOML"),
        ('name = "x"\njunctions = []', "junctions"),
        (ROAD.replace("flow_vph = 700", "flow = 700"), "junctions.0.stages.0"),
        (ROAD.replace("flow_vph = 700", "flow_vph = 1700"), "junction Südring"),
        (ROAD.replace("position_m = 500", "position_m = 0"), "Marker Allee lies at 0 m"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], road: Path, text: str, message: str
) -> None:
    """Exit 1, the file, the place and what was expected."""
    road.write_text(text, encoding="utf-8")
    assert run(monkeypatch, "propose", str(road)) == 1
    error = capsys.readouterr().err
    assert message in error
    assert str(road) in error
    assert len(error.splitlines()) == 1


def test_help_has_an_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And says what the command is for."""
    assert run(monkeypatch, "propose", "--help") == 0
    assert "Example: stadtfunk signal-plan propose" in " ".join(capsys.readouterr().out.split())
