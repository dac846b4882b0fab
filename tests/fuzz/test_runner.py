"""The runner: inputs are shared out, failures are kept, shown with the command that repeats them, and end in 1."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import engine, runner
from tests.fuzz.engine import Findings, TooSlow, explore
from tests.fuzz.mutation import mutate_bytes, mutate_json, read_json
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS


class Refused(ValueError):
    """What the target below may raise."""


def picky(data: bytes) -> None:
    """Refuses short inputs, fails in two ways on some others."""
    if len(data) < 4:
        raise Refused("too short" if data else "two\nlines")
    if data[0] & 1:
        raise KeyError(data[0])
    assert data[1] & 3, "wrong value"


TARGET = Target(name="test/picky", run=picky, refuses=(Refused,), seeds=(b"abcdefgh", b"bbbb"))


def test_each_kind_of_failure_is_kept_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another exception, a wrong value and a refusal of two lines: one file each, which fails in the same way again."""
    findings = Findings(TARGET, tmp_path)
    explore(TARGET, 2000, 1, findings)
    findings.try_one(b"")
    assert len(findings.kinds) == 3
    for path in findings.kinds.values():
        with pytest.raises((KeyError, AssertionError)):
            TARGET.takes(path.read_bytes())
    said = capsys.readouterr().out
    assert said.count(engine.FINDING) == 3
    assert "#2000 pulse" in said


def test_the_same_seed_gives_the_same_inputs() -> None:
    """A run can be repeated."""
    for mutate in (mutate_bytes, mutate_json):
        runs = [[mutate(random, b'{"a": [1, "x"]}', (b"{}",)) for _ in range(50)] for random in (Random(5), Random(5))]
        assert runs[0] == runs[1]
        assert len(set(runs[0])) > 20


def test_json_damage_is_mostly_json() -> None:
    """Damage to a tree keeps the rest of it in order, else nothing behind the parser would ever be reached."""
    random = Random(3)
    damaged = [mutate_json(random, b'{"a": [1, "x"], "b": {"c": null}}', (b'{"d": 1}',)) for _ in range(400)]
    assert sum(read_json(each) is not None for each in damaged) > 150


def test_a_hanging_input_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An input may take a limited time."""

    def hang(_data: bytes) -> None:
        while True:
            pass

    monkeypatch.setattr(engine, "SECONDS_AN_INPUT", 0.05)
    target = Target(name="test/hang", run=hang, refuses=(), seeds=(b"x",))
    explore(target, 1, 1, Findings(target, tmp_path))
    assert TooSlow.__name__ in capsys.readouterr().out


def test_inputs_are_shared_by_weight() -> None:
    """Every target gets some, all together at least what was asked for."""
    shares = {order.target: order.inputs for order in runner.shares(TARGETS, 10_000)}
    assert shares.keys() == {target.name for target in TARGETS}
    assert 10_000 <= sum(shares.values()) <= 10_000 + len(TARGETS)
    assert shares["chain"] > shares["city"] > shares["event/topic"] > 0


def test_a_run_without_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A worker is a process of its own; without a finding the code is 0 and no file is left."""
    words = [
        "--inputs",
        "300",
        "--seed",
        "2",
        "--engine",
        "random",
        "--target",
        "event/topic",
        "--target",
        "line/parse",
    ]
    assert runner.main([*words, "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "300 inputs over 2 targets, seed 2, engine random" in said
    assert said.splitlines()[-1].startswith("300 inputs in ")
    assert not (tmp_path / "findings").exists()


def worker(script: str) -> list[str]:
    """The command of a worker that answers the order `name` so."""
    return [sys.executable, "-c", f"for name in map(str.strip, __import__('sys').stdin):\n {script}"]


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("print('FINDING found/x-1 KeyError at a.py:3', 'ENDED 0', sep='\\n', flush=True)", "KeyError at a.py:3"),
        ("print('Test unit written to found/x-1', 'ENDED 70', sep='\\n', flush=True)", "hang or memory"),
        ("print('killed', 'ENDED -9', sep='\\n', flush=True)", "ended with code -9: killed"),
        ("raise SystemExit('no such thing')", "ended with code 1: no such thing"),
    ],
)
def test_a_worker_with_a_finding(script: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it found, or that it or its child died, is shown with the command that repeats it, and the code is 1."""
    board = runner.Board([runner.Order("event/topic", 5)])
    runner.work(worker(script), board)
    assert runner.report(board.results, 1.0) == 1
    said = capsys.readouterr().out
    assert shown in said
    assert ("--reproduce found/x-1" in said) == ("found/x-1" in script)


def test_a_worker_takes_one_order_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Each result has its own target's progress; how many targets are done with is shown."""
    board = runner.Board([runner.Order("a", 3), runner.Order("b", 4)])
    runner.work(worker("print(f'#{name[-1]} DONE cov: 7 ft: 9 corp: 2/9b', 'ENDED 0', sep='\\n', flush=True)"), board)
    assert [(result.target, result.inputs, result.coverage) for result in board.results] == [
        ("a", 3, "7"),
        ("b", 4, "7"),
    ]
    assert "2 of 2  b " in capsys.readouterr().out


def test_orders_that_no_worker_took_are_findings() -> None:
    """A worker that dies takes no further one; what is left was not fuzzed, which nobody may overlook."""
    board = runner.Board([runner.Order("a", 3), runner.Order("b", 4)])
    runner.work(worker("raise SystemExit(3)"), board)
    board.leave()
    assert [len(result.findings) for result in board.results] == [1, 1]
    assert board.results[1].target == "b"
    assert runner.report(board.results, 1.0) == 1


CHILDREN = """
import os
from tests.fuzz.worker import in_a_child

def ends() -> None:
    raise SystemExit(3)

for work in (lambda: os.kill(os.getpid(), 9), lambda: os._exit(7), ends, lambda: 1 // 0, lambda: None):
    print(in_a_child(work))
"""


def test_a_target_that_ends_its_process() -> None:
    """A child that ends badly is told by its code, and the worker lives on."""
    done = subprocess.run([sys.executable, "-c", CHILDREN], cwd=engine.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["-9", "7", "3", "1", "0"]
    assert "ZeroDivisionError" in done.stderr


INSTRUMENTED = """
import sys
from contextlib import contextmanager
from types import ModuleType

seen = []

@contextmanager
def instrument_imports(include):
    assert not {name.partition(".")[0] for name in sys.modules} & set(include), "imported before"
    yield

atheris = ModuleType("atheris")
atheris.instrument_imports = instrument_imports
atheris.instrument_func = lambda function: (seen.append(function), function)[1]
sys.modules["atheris"] = atheris

from tests.fuzz import worker
_, targets = worker._guided()
targets["codec/bosch/tps110"].takes(bytes.fromhex("02000112"))
print(len(targets), len(seen))
"""


def test_everything_is_instrumented() -> None:
    """Nothing of the service is imported before atheris looks on; what reads and what writes frames is instrumented."""
    done = subprocess.run(
        [sys.executable, "-c", INSTRUMENTED], cwd=engine.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(len(TARGETS)), "2"]


def test_an_unknown_target_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error and code 2."""
    assert runner.main(["--target", "nothing"]) == 2
    assert capsys.readouterr().err == "no target begins with nothing\n"


def test_without_atheris_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The engine that needs nothing takes its place."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert runner.choose_engine("auto") == "random"
    assert "atheris is not installed" in capsys.readouterr().out
