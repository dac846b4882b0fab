"""The process that plans: a job on its standard input, progress and the plan on its standard output.

Each message is its length in four bytes and a pickle. Both ends are this program: nobody else can write to the pipes.
"""

import os
import pickle
import struct
import sys
import time
from typing import BinaryIO, NamedTuple

from rules.waste.route.model import Problem, RouteError
from rules.waste.route.solution import Solution, Unserved

LENGTH = struct.Struct(">I")
TELL_EVERY_S = 0.2


class Job(NamedTuple):
    """What is to be planned, and until when."""

    problem: Problem
    iterations: int | None
    seconds: float | None
    seed: int
    unserved: tuple[Unserved, ...] = ()


class Told(NamedTuple):
    """How far the search is: iterations, seconds, and the cost of the best plan, None before there is one."""

    iteration: int
    elapsed_s: float
    best: int | None


class Refused(NamedTuple):
    """Why there is no plan."""

    message: str


Message = Told | Refused | Solution


def packed(message: Job | Message) -> bytes:
    """A message as it goes through a pipe."""
    body = pickle.dumps(message)
    return LENGTH.pack(len(body)) + body


def plan(job: Job, answers: BinaryIO) -> None:
    """Plan and tell of it; raises BrokenPipeError when nobody listens any more."""
    began_s = told_s = time.monotonic()

    def watch(progress: "solving.Progress") -> bool:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s < TELL_EVERY_S and progress.iteration:
            return True
        told_s = now_s
        _send(answers, Told(progress.iteration, now_s - began_s, progress.best))
        return True

    try:
        from rules.waste.route import solve as solving  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        _send(answers, Refused(f"PyVRP cannot be imported ({error}): install stadtfunk[routes]"))
        return
    limit = solving.Limit(job.iterations, job.seconds)
    try:
        _send(answers, solving.solve(job.problem, limit, job.seed, watch, job.unserved))
    except RouteError as error:
        _send(answers, Refused(str(error)))


def _send(answers: BinaryIO, message: Message) -> None:
    answers.write(packed(message))
    answers.flush()


def main() -> None:
    """Read the job, plan it, and keep whatever others print out of the answers."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        size = LENGTH.unpack(sys.stdin.buffer.read(LENGTH.size))[0]
        job = pickle.loads(sys.stdin.buffer.read(size))  # noqa: S301 - from the process that started this one
        try:
            plan(job, answers)
        except BrokenPipeError:  # nobody waits for the plan any more
            os._exit(1)
