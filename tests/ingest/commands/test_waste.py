"""`stadtfunk waste backtest`."""

import json
import sys
from pathlib import Path

import pytest

from ingest import cli
from ingest.commands.waste_simulated import simulated
from rules.event import instant


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command's exit code."""
    monkeypatch.setattr(sys, "argv", ["stadtfunk", "waste", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Five simulated containers as somebody recorded them: newest first, times in UTC."""
    file = tmp_path / "levels.csv"
    lines = ["container,time,fill_level,fraction"]
    for name, levels in simulated(5, 42, 3, "Europe/Berlin").items():
        lines += [f"{name},{instant(time_ms).isoformat()},{level},residual" for time_ms, level, _ in reversed(levels)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The JSON that was printed."""
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_simulated_levels_give_a_table_of_three_days(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forecast beside both baselines, coverage, and the seed."""
    assert run(monkeypatch, "backtest", "--containers", "5", "--days", "28", "--seed", "4") == 0
    head, *rows, foot = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["days", "ahead", "compared"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert foot.startswith("simulated, seed 4; 5 containers")


def test_a_recording_gives_what_its_levels_gave(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recorded: Path
) -> None:
    """In whatever order the file has them; emptyings are found from the drop."""
    assert run(monkeypatch, "backtest", "--data", str(recorded), "--json") == 0
    from_file = told(capsys)
    assert run(monkeypatch, "backtest", "--containers", "5", "--days", "42", "--seed", "3", "--json") == 0
    assert from_file["horizons"] == told(capsys)["horizons"]
    assert from_file["containers"] == 5


def test_from_and_to_bound_what_is_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recorded: Path
) -> None:
    """Less is compared in a part of the time; learned from is all that lies before it."""
    counts = []
    for bounds in ((), ("--from", "2026-01-26"), ("--from", "2026-01-26", "--to", "2026-02-02")):
        assert run(monkeypatch, "backtest", "--data", str(recorded), "--json", *bounds) == 0
        horizons = told(capsys)["horizons"]
        assert isinstance(horizons, list)
        counts.append(horizons[0]["compared"])
    assert counts[0] > counts[1] > counts[2] > 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("container,time\na,2026-01-01\n", "column 'fill_level' is missing"),
        ("", "column 'container' is missing"),
        ("container,time,fill_level\na,yesterday,5\n", "line 2: column 'time' is 'yesterday'"),
        ("container,time,fill_level\na,2026-01-01,5\na,2026-01-02,101\n", "line 3: column 'fill_level' is '101'"),
        ("container,time,fill_level\na,2026-01-01,nan\n", "line 2: column 'fill_level' is 'nan'"),
        ("container,time,fill_level\n,2026-01-01,5\n", "line 2: column 'container' is empty"),
        ("container,time,fill_level,emptied\na,2026-01-01,5,perhaps\n", "line 2: column 'emptied' is 'perhaps'"),
        ("container,time,fill_level\na,2026-01-01,5\n", "nothing to compare"),
        ("container,time,fill_level\na,2026-01-01\n", "line 2: column 'fill_level' is ''"),
    ],
)
def test_files_that_cannot_be_read_are_named_with_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, complaint: str
) -> None:
    """One line on standard error, exit 1."""
    file = tmp_path / "levels.csv"
    file.write_text(text, encoding="utf-8")
    assert run(monkeypatch, "backtest", "--data", str(file)) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def test_a_missing_or_binary_file_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit 1, named."""
    assert run(monkeypatch, "backtest", "--data", str(tmp_path / "none.csv")) == 1
    assert "none.csv: No such file" in capsys.readouterr().err
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    assert run(monkeypatch, "backtest", "--data", str(tmp_path / "binary.csv")) == 1
    assert "is no CSV in UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--from", "soon"), ("--timezone", "Hamm"), ("--containers", "0"), ("--days", "x")])
def test_wrong_usage_exits_2(monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, str]) -> None:
    """Times, zones and numbers that are none."""
    assert run(monkeypatch, "backtest", *wrong) == 2
