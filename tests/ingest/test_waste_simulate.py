"""`stadtfunk waste simulate` and `stadtfunk waste evaluate`."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import cli

SMALL = ("--containers", "6", "--days", "7", "--iterations", "5")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command's exit code."""
    monkeypatch.setattr(sys, "argv", ["stadtfunk", "waste", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten containers that were emptied every other day for four months, a fifth full."""
    begin = datetime(2026, 5, 4, 8, tzinfo=UTC)
    lines = ["stop,time,fill,vehicle,km"]
    for day in range(0, 120, 2):
        stops = 10 - day // 2 % 4
        lines += [
            f"stop-{n},{(begin + timedelta(days=day, minutes=6 * n)).isoformat()},{18 + n},truck,{20 + 3 * stops}"
            for n in range(stops)
        ]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_policies_stand_side_by_side(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A row for each, changes against the first, the seed below, and the chart where it was asked for."""
    plot = tmp_path / "policies.svg"
    assert run(monkeypatch, "simulate", *SMALL, "--seed", "4", "--plot", str(plot)) == 0
    head, *rows, foot = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["policy", "km", "hours"]
    assert [row.split()[0] for row in rows] == ["fixed", "threshold", "prize"]
    assert "%)" not in rows[0].split("  ")[1]
    assert foot.startswith("simulated, seed 4; 6 containers, 7 days from 2026-09-07")
    assert plot.read_text(encoding="utf-8").startswith("<svg")


def test_the_same_seed_gives_the_same_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, twice the same; another seed is another city."""
    told = []
    for seed in ("1", "1", "2"):
        assert run(monkeypatch, "simulate", *SMALL, "--seed", seed, "--policies", "fixed,prize", "--json") == 0
        told.append(json.loads(capsys.readouterr().out)["policies"])
    assert [row["policy"] for row in told[0]] == ["fixed", "prize"]
    assert told[0] == told[1]
    assert told[0] != told[2]
    assert told[0][0]["change"]["km"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--policies", "fixed,magic"), "magic"),
        (("--policies", "fixed,fixed"), "each once"),
        (("--mix", "gold=1"), "gold"),
        (("--mix", "glass=much"), "shares"),
        (("--from", "soon"), "soon"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2, and the message names what was said."""
    assert run(monkeypatch, "simulate", *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_chart_that_cannot_be_written_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One line that names the file."""
    assert run(monkeypatch, "simulate", *SMALL, "--policies", "fixed", "--plot", str(tmp_path / "no" / "x.svg")) == 1
    assert "x.svg" in capsys.readouterr().err


def test_a_log_is_judged_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], log: Path
) -> None:
    """Containers that are emptied far too often: fewer emptyings, with the interval, and the log's own km."""
    assert run(monkeypatch, "evaluate", str(log), "--draws", "1") == 0
    out = capsys.readouterr().out
    assert "as logged" in out.splitlines()[1]
    told = next(line for line in out.splitlines() if line.startswith("prize: "))
    assert "% fewer emptyings than were driven; " in told
    rows = {line.split()[0]: line for line in out.splitlines()[1:5]}
    ours, logged = (re.findall(r"\((\d+\.\d\d%)\)", rows[name])[0] for name in ("prize", "as"))
    assert told.endswith(f" {ours} of container-days overflow beside {logged}.")
    assert run(monkeypatch, "evaluate", str(log), "--draws", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    prize = told["policies"][-1]
    assert prize["policy"] == "prize"
    assert prize["verdict"] == "less"
    assert prize["change"]["high"] < -0.2
    assert prize["km"] < told["policies"][0]["km"]
    assert prize["hours"] < told["policies"][0]["hours"]
    assert prize["hours_change"]["high"] < 0
    assert prize["co2_kg"] == pytest.approx(prize["km"] * 0.45 * 2.67)
    assert told["days"] + told["learned_days"] == 119


def test_a_log_is_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, log: Path
) -> None:
    """Bars for each figure and policy; without km in the log there are none for km and CO2."""
    plot, short = tmp_path / "log.svg", tmp_path / "short.csv"
    assert run(monkeypatch, "evaluate", str(log), "--draws", "1", "--plot", str(plot)) == 0
    drawn = plot.read_text(encoding="utf-8")
    assert all(f">{name}<" in drawn for name in ("km", "hours", "visits", "CO2, kg", "as logged", "prize"))
    short.write_text("\n".join(line.rpartition(",")[0] for line in log.read_text().splitlines()), encoding="utf-8")
    assert run(monkeypatch, "evaluate", str(short), "--draws", "1", "--plot", str(plot)) == 0
    drawn = plot.read_text(encoding="utf-8")
    assert ">hours<" in drawn
    assert ">km<" not in drawn
    assert ">CO2, kg<" not in drawn
    capsys.readouterr()
    assert run(monkeypatch, "evaluate", str(log), "--draws", "1", "--plot", str(tmp_path / "no" / "x.svg")) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_log_without_saving_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Containers found nearly full each time: no saving here."""
    begin = datetime(2026, 5, 4, 8, tzinfo=UTC)
    lines = ["stop,time,fill"]
    lines += [f"stop-{n},{(begin + timedelta(days=day)).isoformat()},88" for day in range(0, 112, 7) for n in range(6)]
    file = tmp_path / "full.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert run(monkeypatch, "evaluate", str(file), "--draws", "1") == 0
    assert "no saving here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",2026-09-01T06:30,50,,", "line 3: column 'stop' is empty"),
        ("a,yesterday,50,,", "line 3: column 'time' is 'yesterday'"),
        ("a,2026-09-01T06:30,lots,,", "line 3: column 'fill' is 'lots'"),
        ("a,2026-09-01T06:30,-1,,", "line 3: column 'fill' is '-1'"),
        ("a,2026-09-01T06:30,nan,,", "line 3: column 'fill' is 'nan'"),
        ("a,2026-09-01T06:30,50,truck,far", "line 3: column 'km' is 'far'"),
        ("a,2026-09-01T06:30,50,truck,1,49", "line 3: column 'hours' is '49'"),
    ],
)
def test_a_bad_row_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, row: str, words: str
) -> None:
    """With its line and its column."""
    file = tmp_path / "bad.csv"
    file.write_text(f"stop,time,fill,vehicle,km,hours\na,2026-09-01T06:30,50,truck,30\n{row}\n", encoding="utf-8")
    assert run(monkeypatch, "evaluate", str(file)) == 1
    assert words in capsys.readouterr().err


def test_a_log_that_tells_too_little_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A missing column, a missing file, a week: each is one line."""
    file = tmp_path / "short.csv"
    file.write_text("stop,time,fill\na,2026-09-01T06:30,50\n", encoding="utf-8")
    assert run(monkeypatch, "evaluate", str(file)) == 1
    assert "expected at least 56" in capsys.readouterr().err
    file.write_text("stop,when\n", encoding="utf-8")
    assert run(monkeypatch, "evaluate", str(file)) == 1
    assert "column 'time' is missing" in capsys.readouterr().err
    assert run(monkeypatch, "evaluate", str(tmp_path / "none.csv")) == 1
    assert "none.csv" in capsys.readouterr().err
