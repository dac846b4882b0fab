"""`simulate --sumo` as somebody at a terminal sees it."""

import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest
import typer

from simulator.error import SimulatorError
from simulator.sumo import command
from simulator.sumo.arterial import Control, Demand
from simulator.sumo.command import Study, run
from simulator.sumo.loop import Ran, Task
from simulator.sumo.person_delay import Outcome
from simulator.sumo.runs import Shown

BASE = Outcome(*(10.0 for _ in Outcome._fields))
STUDY = Study((4, 5), (Control.FIXED,), (Demand.SCHEDULED_PEAK,))
BOUND_S = 60.0


def _play_all(tasks: Sequence[Task], shown: Shown, _stop: Event, _workers: int | None) -> list[Ran]:
    """Runs at once: with Stadtfunk people lose a second less."""
    for number in range(len(tasks)):
        shown(number, 1.0)
    return [Ran(task, BASE._replace(person_delay_s=20 + task.run.seed - task.stadtfunk), {}, {}, ()) for task in tasks]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is simulated, and SUMO need not be there."""
    monkeypatch.setattr(command, "play_all", _play_all)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())


def test_study() -> None:
    """Every demand, control and seed is played without and with Stadtfunk, pair by pair."""
    tasks = Study((1, 2), span_s=60).tasks()
    assert len(tasks) == 2 * 2 * len(Control) * len(Demand) == len(set(tasks))
    assert [(task.run.seed, task.stadtfunk) for task in tasks[:4]] == [(1, False), (1, True), (2, False), (2, True)]
    assert tasks[0].run == tasks[1].run
    assert {task.span_s for task in tasks} == {60}


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_seeds_that_sumo_has_not(seed: int) -> None:
    """They are refused before anything is played."""
    with pytest.raises(SimulatorError, match=f"seeds from 0 to 2147483647, not {seed}"):
        Study((seed,)).tasks()


def test_city_file(tmp_path: Path) -> None:
    """A city file takes the place of the arterial's; one that is not there is an error with its name."""
    file = tmp_path / "city.geojson"
    with pytest.raises(SimulatorError, match=r"cannot read city file .*city\.geojson"):
        STUDY._replace(city=file).tasks()
    file.write_text("{}")
    assert {task.city for task in STUDY._replace(city=file).tasks()} == {"{}"}


def test_table(at_once: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The table ends with the mode that follows; nothing else is on standard output, nothing on standard error."""
    run(STUDY)
    out, err = capsys.readouterr()
    assert out.startswith("scheduled peak, fixed plan: helps\n")
    assert out.endswith("Default mode of traffic.signal_plan that follows: active on top of fixed plan.\n")
    assert err == ""


def test_json(at_once: None, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json a script reads one object."""
    run(STUDY, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["modes"] == {"fixed": "active"}
    assert told["comparisons"][0]["seeds"] == [4, 5]
    assert told["comparisons"][0]["figures"]["person_delay_s"]["difference"] == {"mean": -1.0, "half": 0.0}


def test_picture(at_once: None, tmp_path: Path) -> None:
    """The picture is written where it is wanted."""
    run(STUDY, picture=tmp_path / "loop.svg")
    assert (tmp_path / "loop.svg").read_text().startswith("<svg")


def test_picture_of_another_kind(at_once: None, tmp_path: Path) -> None:
    """A picture that is no SVG is wrong usage, said before anything is played."""
    with pytest.raises(typer.BadParameter, match=r"ends in \.svg, not 'loop\.png'"):
        run(STUDY, picture=tmp_path / "loop.png")


def test_picture_without_a_folder(at_once: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder that is not there is said before anything is played."""
    monkeypatch.setattr(command, "play_all", lambda *_: pytest.fail("it was played"))
    with pytest.raises(SimulatorError, match="there is no folder"):
        run(STUDY, picture=tmp_path / "none" / "loop.svg")


def test_span_too_short(at_once: None) -> None:
    """A span that ends before anybody counts is wrong usage."""
    with pytest.raises(typer.BadParameter, match=r"second 1800 on: --for 1800s is too short"):
        run(STUDY._replace(span_s=1800))
    run(STUDY._replace(span_s=1801))


def test_without_sumo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without libsumo one line names the extra, and the exit code is 2."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(typer.Exit) as caught:
        run(STUDY)
    assert caught.value.exit_code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "stadtfunk: error: the closed loop needs SUMO: pip install 'stadtfunk[sumo]'\n"


PROGRAM = """
import sys
from simulator.files import speaking_plainly
from simulator.sumo.arterial import Control, Demand
from simulator.sumo.command import Study, run

if __name__ == "__main__":
    print("begun", flush=True)
    try:
        with speaking_plainly():
            run(Study((1,), (Control.FIXED,), (Demand.SCHEDULED_PEAK,)), quiet=True)
    except Exception as end:
        sys.exit(end.exit_code)
"""


@pytest.mark.skipif(importlib.util.find_spec("libsumo") is None, reason="needs SUMO: pip install 'stadtfunk[sumo]'")
@pytest.mark.xdist_group("sumo")
def test_interrupt(tmp_path: Path) -> None:
    """Ctrl-C ends all runs with their services: one line, exit code 1, no process left."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    root = str(Path(command.__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env={"PYTHONPATH": root, "PATH": "/usr/sbin:/usr/bin:/bin"},
        start_new_session=True,
    )
    _until(lambda: any("ingest.stage" in _command(pid) for pid in _family(process.pid)))
    family = _family(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=BOUND_S)
    assert process.returncode == 1
    assert re.fullmatch(r"stadtfunk: error: interrupted: \d of 2 runs were done\n", err)
    _until(lambda: not any(_lives(pid) for pid in family))


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    children = _read(pid, f"task/{pid}/children").split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _command(pid: int) -> str:
    return _read(pid, "cmdline").replace("\0", " ")


def _lives(pid: int) -> bool:
    return _read(pid, "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])


def _read(pid: int, name: str) -> str:
    """What the system says of a process; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _until(true: Callable[[], bool]) -> None:
    bound = time.monotonic() + BOUND_S
    while not true():
        assert time.monotonic() < bound
        time.sleep(0.05)
