"""Targets one after the other, each in a copy of this process; or one input: `python -m tests.fuzz.worker --help`.

What is fuzzed is imported once, instrumented where atheris is the engine; every order, a line "TARGET INPUTS" on
standard input, is then run by a forked child, so that neither a hang nor a broken engine reaches the next one.
"""

import argparse
import importlib
import os
import resource
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import NoReturn, TypeVar

from tests.fuzz.engine import ENDED, MEGABYTES, SECONDS_AN_INPUT, Findings, explore, seeds_of
from tests.fuzz.target import Target

INSTRUMENTED = ["decoders", "rules", "ingest"]
TABLE = "tests.fuzz.targets"
Made = TypeVar("Made", bound=Callable[..., object])
"""A function made from source."""
Fuzz = Callable[[Target, int, int, Path], None]
"""Gives a target so many inputs of a seed; what it keeps goes into the folder."""


def main() -> None:
    """Work through the orders, or put one input through a target; a failure of that one is raised."""
    arguments = _parser().parse_args()
    if arguments.reproduce is not None:
        taken = _targets()[arguments.target].takes(arguments.reproduce.read_bytes())
        print("taken" if taken else "refused, as it may be")  # noqa: T201 - the answer
        return
    fuzz, targets = _guided() if arguments.engine == "atheris" else (_unguided, _targets())
    for order in sys.stdin:
        name, inputs = order.split()
        code = in_a_child(lambda: fuzz(targets[name], int(inputs), arguments.seed, arguments.folder))  # noqa: B023 - ends before the next order
        print(f"{ENDED} {code}", flush=True)  # noqa: T201 - the runner reads it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.worker", description=__doc__)
    parser.add_argument("target", nargs="?", help="of the input to reproduce")
    parser.add_argument("--engine", choices=("atheris", "random"), default="random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--reproduce", type=Path)
    return parser


def _targets() -> Mapping[str, Target]:
    """The table, which is imported only now so that it can be instrumented."""
    found: Mapping[str, Target] = importlib.import_module(TABLE).BY_NAME
    return found


def in_a_child(work: Callable[[], None]) -> int:
    """The exit code of a child that works; a negative one is the signal that ended it."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _work_and_end(work)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _work_and_end(work: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - the child's outermost frame
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _unguided(target: Target, inputs: int, seed: int, folder: Path) -> None:
    most = 2 * MEGABYTES << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    explore(target, inputs, seed, Findings(target, folder / "findings"))


def _guided() -> tuple[Fuzz, Mapping[str, Target]]:
    """The same by libFuzzer, which ends the process itself: by 0, or else after a hang or too much memory."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        _instrument_layouts(atheris.instrument_func)
        targets = _targets()

    def fuzz(target: Target, inputs: int, seed: int, folder: Path) -> None:
        findings = Findings(target, folder / "findings")
        slug = target.name.replace("/", "-")
        corpus = _corpus(target, folder / "corpus" / slug)

        def mutate(data: bytes, longest: int, number: int) -> bytes:
            random = Random(number)
            changed: bytes = target.draw(random, data) if random.randint(0, 1) else atheris.Mutate(data, longest)
            return changed[:longest]

        findings.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "runs": inputs,
            "seed": seed or 1,
            "max_len": target.longest,
            "timeout": SECONDS_AN_INPUT,
            "rss_limit_mb": MEGABYTES,
            "artifact_prefix": f"{findings.folder}/{slug}-",
        }
        command = [target.name, *(f"-{option}={value}" for option, value in options.items()), str(corpus)]
        atheris.Setup(command, findings.try_one, custom_mutator=mutate)
        atheris.Fuzz()

    return fuzz, targets


MADE = {
    "decoders.compiled": ("compile_read",),
    "decoders.compiled_write": ("compile_write",),
    "decoders.columns": ("compile_decode", "compile_choice"),
}
"""What makes functions from source of its own, which no import shows, by module."""


def _instrument_layouts(instrument: Callable[[Made], Made]) -> None:
    """Functions that layouts and choices make are instrumented as they are made."""
    for where, names in MADE.items():
        module = importlib.import_module(where)
        for name in names:
            setattr(module, name, partial(_instrumented, instrument, getattr(module, name)))


def _instrumented(instrument: Callable[[Made], Made], make: Callable[..., Made], *given: object) -> Made:
    return instrument(make(*given))


def _corpus(target: Target, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds_of(target)):
        (folder / f"seed-{number}").write_bytes(data)
    return folder


if __name__ == "__main__":
    main()
