"""Planning in a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from ingest.routes import worker
from ingest.routes.planning import LENGTH, Job, Told, packed
from ingest.routes.worker import PlanningEnded, plan
from rules.waste.route.check import checked
from rules.waste.route.model import Problem, RouteError
from rules.waste.route.solution import Unserved
from rules.waste.route.solve import Limit, solve
from rules.waste.words import Words
from tests.rules.waste.route.instances import Size, random_problem

ENDLESS = Job(checked(random_problem(1, Size(stops=60)), skip_invalid=True)[0], None, 600.0, 1)


def day() -> tuple[Problem, tuple[Unserved, ...]]:
    """What can be planned of a day."""
    return checked(random_problem(1), skip_invalid=True)[:2]


def running(process: int) -> bool:
    """Whether it runs: one that ended may wait for whoever buries it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(parent: int | None = None) -> set[int]:
    """The processes that this one, or that one, started and that still run."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(parent or os.getpid()) and fields[0] != "Z":
            found.add(int(status.parent.name))
    return found


async def test_the_process_plans_what_this_one_would() -> None:
    """Same problem, seed and iterations: the same plan, with what was left out before, and no process left."""
    problem, left = day()
    left = (*left, Unserved("bin-x", "invalid", Words("kein Volumen", "no volume")))
    before = children()
    got = await plan(Job(problem, 100, None, 7, left))
    assert got == solve(problem, Limit(iterations=100), 7, unserved=left)
    assert children() == before


async def test_progress_is_told() -> None:
    """From the first iteration on, growing, with the cost of the best plan."""
    told: list[Told] = []
    problem, _ = day()
    got = await plan(Job(problem, None, 1.5, 7), told.append)
    assert told[0].iteration == 0
    assert [one.iteration for one in told] == sorted(one.iteration for one in told)
    assert len(told) > 2
    assert told[-1].best is not None
    assert told[-1].best >= got.cost.total


async def test_cancelled_it_leaves_no_process() -> None:
    """A cancelled task ends the search at once, long before its limit."""
    before = children()
    started = asyncio.Event()
    task = asyncio.create_task(plan(ENDLESS, lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 60)
    assert len(children() - before) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert children() == before


async def test_a_process_that_dies_is_an_error_that_says_how() -> None:
    """Whoever kills the process gets a RouteError to the caller, not silence."""
    before = children()
    started = asyncio.Event()
    task = asyncio.create_task(plan(ENDLESS, lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 60)
    (process,) = children() - before
    os.kill(process, signal.SIGKILL)
    with pytest.raises(PlanningEnded, match="SIGKILL"):
        await asyncio.wait_for(task, 30)


async def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    """A service that is killed leaves no search behind."""
    job = tmp_path / "job"
    job.write_bytes(packed(ENDLESS)[LENGTH.size :])
    program = (
        "import asyncio, pathlib, pickle\n"
        "from ingest.routes.worker import plan\n"
        f"job = pickle.loads(pathlib.Path({str(job)!r}).read_bytes())\n"
        "asyncio.run(plan(job, lambda told: print(told.iteration, flush=True)))\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env=worker._environment()
    )
    assert parent.stdout is not None
    try:
        await asyncio.wait_for(parent.stdout.readline(), 60)
        (search,) = children(parent.pid)
    finally:
        parent.kill()
        await parent.wait()
    async with asyncio.timeout(60):
        while running(search):
            await asyncio.sleep(0.1)


async def test_why_there_is_no_plan_is_told() -> None:
    """The solver's own refusal comes through."""
    problem, _ = day()
    with pytest.raises(RouteError, match="without limit"):
        await plan(Job(problem, None, None, 7))


async def test_without_pyvrp_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyVRP that cannot be imported is said with what to install; what it prints harms no message."""
    (tmp_path / "pyvrp.py").write_text("print('noise', flush=True)\nraise ImportError('none here')\n")
    monkeypatch.syspath_prepend(tmp_path)
    problem, _ = day()
    with pytest.raises(RouteError, match=r"stadtfunk\[routes\]"):
        await plan(Job(problem, 10, None, 7))


async def test_the_process_sees_no_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it gets what it needs."""
    monkeypatch.setenv("STADTFUNK_MQTT__PASSWORD", "secret")
    assert not any("STADTFUNK" in name for name in worker._environment())
