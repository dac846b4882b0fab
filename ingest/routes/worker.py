"""Planning outside the event loop: a process per plan, which ends with the task that waits for it."""

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable

from ingest.routes.planning import LENGTH, Job, Message, Refused, Told, packed
from rules.waste.route.model import RouteError
from rules.waste.route.solution import Solution

PROGRAM = "from ingest.routes.planning import main; main()"
"""Not -m: what the module defines would be pickled as of another module."""
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG")
"""What the process sees of our environment: no passwords."""
Listener = Callable[[Told], None]


class PlanningEnded(RouteError):
    """The process ended without a plan."""


async def plan(job: Job, listener: Listener | None = None) -> Solution:
    """The plan of a job that was checked; the listener is told of progress some times a second.

    Cancelled, it ends the process before it returns. Raises RouteError with the reason for no plan.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", PROGRAM, stdin=PIPE, stdout=PIPE, env=_environment(), start_new_session=True
    )
    try:
        return await _converse(process, job, listener)
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.shield(process.wait())


async def _converse(process: Process, job: Job, listener: Listener | None) -> Solution:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("pipes were asked for")
    try:
        process.stdin.write(packed(job))
        await process.stdin.drain()
        while True:
            message = await _receive(process.stdout)
            if isinstance(message, Refused):
                raise RouteError(message.message)
            if isinstance(message, Solution):
                return message
            if listener is not None:
                listener(message)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise PlanningEnded(f"planning ended without a plan: {_how(await process.wait())}") from error


async def _receive(answers: asyncio.StreamReader) -> Message:
    (size,) = LENGTH.unpack(await answers.readexactly(LENGTH.size))
    message: Message = pickle.loads(await answers.readexactly(size))  # noqa: S301 - from our own process
    return message


def _environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "MPLBACKEND": "agg"}


def _how(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
