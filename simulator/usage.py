"""Options of `simulate` that do not go together."""

from pathlib import Path

import typer

from simulator.playing import STANDARD_STREAM, Target

BROKER = frozenset({"host", "port", "username", "tls", "ca_file", "certificate_file", "key_file", "test_broker"})
OUTPUT = frozenset({"as_json", "quiet"})
SUMO = OUTPUT | {"sumo", "seed", "seeds", "span", "city", "plot"}
SCORE = OUTPUT | {"score", "seed", "devices", "begin", "begin_ms", "span", "scenario", "city", "collected"}
REPLAY = OUTPUT | BROKER | {"replay", "speed", "span", "to", "out", "report"}
"""Parameters that go with these three."""
CHIRPSTACK = frozenset({"confirmed", "activation", "region_prefix"})
"""Parameters of `--to chirpstack` alone, as those of BROKER are none of `--to file`."""
OPTIONS = {"begin": "--from", "span": "--for", "as_json": "--json"}


def goes_with(context: typer.Context, option: str, others: frozenset[str]) -> None:
    """Every other option would be passed over in silence; raises typer.BadParameter."""
    for name in context.params:
        if name not in others and given(context, name):
            raise typer.BadParameter(f"{_flag(name)} does not go with {option}")


def belongs_to(context: typer.Context, option: str, *names: str) -> None:
    """Without that option these would be; raises typer.BadParameter."""
    for name in names:
        if given(context, name):
            raise typer.BadParameter(f"{_flag(name)} belongs to {option}")


def fits(context: typer.Context, to: Target, *, replayed: bool) -> None:
    """Options of another target, or of a city beside a recording; raises typer.BadParameter."""
    if replayed:
        goes_with(context, "--replay", REPLAY)
        if to is Target.CHIRPSTACK:
            raise typer.BadParameter("--replay publishes events: --to chirpstack does not go with it")
    if to is not Target.CHIRPSTACK:
        belongs_to(context, "--to chirpstack", *sorted(CHIRPSTACK))
    if to is Target.FILE:
        belongs_to(context, "--to mqtt", *sorted(BROKER))


def streams(out: Path | None, report: Path | None, *, as_json: bool, **files: Path | None) -> None:
    """`-` is standard output, of one thing, and no name of any of these files; raises typer.BadParameter."""
    for name, path in files.items():
        if str(path) == STANDARD_STREAM:
            raise typer.BadParameter(f"--{name} needs a file: only --out and --report write {STANDARD_STREAM}")
    if str(out) == STANDARD_STREAM and (as_json or str(report) == STANDARD_STREAM):
        other = "--json" if as_json else f"--report {STANDARD_STREAM}"
        raise typer.BadParameter(f"--out {STANDARD_STREAM} and {other} would mix on standard output")


def given(context: typer.Context, *names: str) -> bool:
    """Whether one of these parameters stands on the command line."""
    sources = [context.get_parameter_source(name) for name in names]
    return any(source is not None and source.name == "COMMANDLINE" for source in sources)


def apart(**paths: Path | None) -> None:
    """Files to read and to write are different ones, devices and pipes apart; raises typer.BadParameter."""
    seen: dict[Path, str] = {}
    for name, path in paths.items():
        if path is None or str(path) == STANDARD_STREAM or (path.exists() and not path.is_file()):
            continue
        other = seen.setdefault(path.resolve(), name)
        if other != name:
            raise typer.BadParameter(f"--{other} and --{name} are the same file: {path}")


def _flag(name: str) -> str:
    return OPTIONS.get(name, "--" + name.replace("_", "-"))
