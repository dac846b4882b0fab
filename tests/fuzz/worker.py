"""One target in a process of its own: `python -m tests.fuzz.worker TARGET --inputs N`, or `--reproduce FILE`."""

import argparse
import importlib
import resource
from pathlib import Path
from random import Random

from tests.fuzz.engine import MEGABYTES, SECONDS_AN_INPUT, Findings, explore, seeds_of
from tests.fuzz.target import Target

INSTRUMENTED = ["decoders", "rules", "ingest"]
TABLE = "tests.fuzz.targets"


def main() -> None:
    """Fuzz the target, or put one input through it; a failure of that one is raised."""
    arguments = _parser().parse_args()
    if arguments.reproduce is not None:
        taken = _target(arguments.target).takes(arguments.reproduce.read_bytes())
        print("taken" if taken else "refused, as it may be")  # noqa: T201 - the answer
    elif arguments.engine == "atheris":
        _guided(arguments.target, arguments.inputs, arguments.seed, arguments.folder)
    else:
        _unguided(_target(arguments.target), arguments.inputs, arguments.seed, arguments.folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.worker", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--engine", choices=("atheris", "random"), default="random")
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--reproduce", type=Path)
    return parser


def _target(name: str) -> Target:
    """The target from the table, which is imported only now so that it can be instrumented."""
    found: Target = importlib.import_module(TABLE).BY_NAME[name]
    return found


def _unguided(target: Target, inputs: int, seed: int, folder: Path) -> None:
    most = 2 * MEGABYTES << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    explore(target, inputs, seed, Findings(target, folder / "findings"))


def _guided(name: str, inputs: int, seed: int, folder: Path) -> None:
    """LibFuzzer ends the process itself: 0 after the last input, another code after a hang or too much memory."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = _target(name)
    findings = Findings(target, folder / "findings")
    slug = name.replace("/", "-")
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
    command = [name, *(f"-{option}={value}" for option, value in options.items()), str(corpus)]
    atheris.Setup(command, findings.try_one, custom_mutator=mutate)
    atheris.Fuzz()


def _corpus(target: Target, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds_of(target)):
        (folder / f"seed-{number}").write_bytes(data)
    return folder


if __name__ == "__main__":
    main()
