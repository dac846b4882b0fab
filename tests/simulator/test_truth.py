"""The file of truths, and the options of `simulate` that belong to scenarios."""

import csv
import json
from collections import defaultdict
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from simulator.cli import register
from simulator.scenario.file import shipped


def _run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["simulate", *arguments])


def _play(tmp_path: Path, *arguments: str) -> Result:
    return _run("--speed", "0", "--to", "file", "--out", str(tmp_path / "out"), "--json", *arguments)


def test_the_truth_in_a_file(tmp_path: Path) -> None:
    """Every five minutes a value for each lot, container, detector, gauge, road, site, station and for the air."""
    truth = tmp_path / "truth.csv"
    result = _play(tmp_path, "--scenario", "heavy-rain", "--for", "2h", "--truth", str(truth))
    assert result.exit_code == 0, result.output
    with truth.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["time", "asset", "quantity", "value"]
    times = [row["time"] for row in rows]
    assert times[0] == "2026-08-04T04:00:00+00:00"
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        found[row["asset"], row["quantity"]].append(float(row["value"]))
    assert {asset.partition("-")[0] for asset, _ in found} == {
        *("city", "lot", "container", "detector", "gauge", "road", "site", "station")
    }
    assert len(found["gauge-ahse", "water_level"]) == 24
    cars = found["lot-bahnhof", "occupied_spaces"]
    assert len(cars) > 24
    assert all(0 <= each <= 40 and each == int(each) for each in cars)
    for of_rain in ("city", "station-westenwall", "station-roemerstrasse"):
        assert set(found[of_rain, "precipitation_rate"]) == set(found[of_rain, "precipitation_total"]) == {0.0}
    for quantity in ("incident", "queue_ltr", "queue_rtl"):
        assert set(found["detector-hafenstrasse", quantity]) == {0.0}
    levels, overflows = (found["container-suedring-1", name] for name in ("fill_level", "overflow"))
    assert overflows == [float(level >= 100) for level in levels]


def test_a_truth_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, exit code 1."""
    result = _play(tmp_path, "--for", "1m", "--truth", str(tmp_path / "none" / "truth"))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


def test_the_list(tmp_path: Path) -> None:
    """`--list` prints one line for each scenario and plays nothing."""
    result = _run("--list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(shipped())
    assert all(len(line) <= 140 for line in result.stdout.splitlines())
    assert not list(tmp_path.iterdir())


def test_a_scenario_has_its_own_time(tmp_path: Path) -> None:
    """Start and length come from the file unless the command line has them."""
    path = tmp_path / "short.toml"
    path.write_text('title = "short"\nfrom = 2026-02-03T04:00:00+01:00\nfor = "10m"\n')
    for words, first in (((), "2026-02-03T03:"), (("--from", "2026-05-01T12:00:00Z"), "2026-05-01T12:")):
        assert _play(tmp_path, "--scenario", str(path), *words).exit_code == 0
        lines = (tmp_path / "out").read_text().splitlines()
        assert json.loads(lines[0])["payload"]["time"].startswith(first)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--scenario", "heavy-rains"), 2, "did you mean heavy-rain?"),
        (("--to", "chirpstack", "--scenario", "broker-outage"), 2, "plays no scenario"),
        (("--to", "chirpstack", "--truth", "x"), 2, "--truth"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], code: int, said: str) -> None:
    """An unknown scenario, and what cannot be played in front of a network server."""
    result = _run(*words)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())


def test_a_broken_scenario_is_one_line(tmp_path: Path) -> None:
    """File, line and key, exit code 1."""
    path = tmp_path / "broken.toml"
    path.write_text('title = "x"\n[[rain]]\nmm = 3\n')
    result = _play(tmp_path, "--scenario", str(path))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert f"{path}, line 3: rain.mm" in result.stderr
