"""What a running service says of its broker and its chain, for `stadtfunk check`."""

from collections.abc import Iterator

from pydantic import JsonValue

from ingest.broker_warnings import broker_warnings
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.conditioning import WARNING
from ingest.finding import Finding
from ingest.settings import Settings

Status = dict[str, JsonValue]


def findings(settings: Settings) -> Iterator[Finding]:
    """What it has seen since its start; nothing where none runs."""
    if not cli_service.runs(settings):
        return
    try:
        answer = cli_service.get(settings, "/api/v1/status")
    except CommandError as error:
        yield Finding("warning", "service", str(error))
        return
    if answer.error is not None:
        yield Finding("warning", "service", f"/api/v1/status: {answer.error}")
        return
    yield from _seen(answer.body)


def _seen(status: Status) -> Iterator[Finding]:
    figures = status.get("mqtt")
    if isinstance(figures, dict):
        counts = {name: count for name, count in figures.items() if isinstance(count, int)}
        for subject, text in broker_warnings(counts).items():
            yield Finding("warning", subject, text)
    warnings = status.get("warnings")
    if isinstance(warnings, dict):
        for name, word in warnings.items():
            if name.startswith(WARNING) and str(word).startswith("device "):
                yield Finding("warning", WARNING, str(word))
    problems = status.get("problems")
    if isinstance(problems, dict):
        for part, reason in problems.items():
            yield Finding("error", f"service {part}", str(reason))
    chain = status.get("chain")
    if isinstance(chain, dict):
        yield _round_trip(chain)


def _round_trip(chain: Status) -> Finding:
    if chain.get("complete"):
        return Finding("ok", "service", f"canary came round in {chain['round_trip_s']} s, {chain['age_s']} s ago")
    return Finding("error", "service", str(chain.get("problem")))
