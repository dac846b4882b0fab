"""The command `simulate provision`."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from simulator.devices.fleet import models as catalog_models
from simulator.error import SimulatorError
from simulator.files import read_city, speaking_plainly
from simulator.lorawan.keys import Activation

LAST_PORT = 65_535
EXAMPLE = "Example: stadtfunk simulate provision --api localhost:8080 --api-token-file token --tenant Hamm --dry-run"


def provision(
    api: Annotated[str, typer.Option(help="ChirpStack's gRPC interface.", metavar="HOST:PORT")],
    api_token_file: Annotated[Path, typer.Option(help="File with an API key of ChirpStack.")],
    tenant: Annotated[str, typer.Option(help="Tenant: its name, or its id where the key is a tenant's own.")],
    city: Annotated[Path | None, typer.Option(help="City file (GeoJSON).", show_default="the example city")] = None,
    seed: Annotated[int, typer.Option(min=0, help="As for simulate: keys follow from it.")] = 1,
    devices: Annotated[int | None, typer.Option(min=1, help="As for simulate.", show_default="the city's")] = None,
    models: Annotated[str | None, typer.Option(help="As for simulate.", metavar="all|ID,…")] = None,
    activation: Annotated[Activation, typer.Option(help="As for simulate.")] = Activation.OTAA,
    api_tls: Annotated[bool, typer.Option("--api-tls", help="Encrypt; implied by --api-ca-file.")] = False,
    api_ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust (PEM).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Enter a simulated city into a ChirpStack, for `simulate --to chirpstack`; a second run changes nothing.

    Tenant, applications, device profiles with their codec as a tag, gateways, and devices with test keys. Nothing is
    deleted, and nothing of another tenant is changed.
    """
    fleet = _fleet(models)
    _fits(api, tenant)
    with speaking_plainly():
        from simulator.provision.client import Access, ProvisionError  # noqa: PLC0415 - gRPC is slow to import
        from simulator.provision.registry import Step, provision  # noqa: PLC0415 - the same
        from simulator.provision.wanted import wanted  # noqa: PLC0415 - the same

        try:
            token = api_token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ProvisionError(f"--api-token-file {api_token_file}: {error}") from error
        if not token:
            raise ProvisionError(f"--api-token-file {api_token_file}: it is empty")
        steps: list[Step] = []

        def on_step(step: Step) -> None:
            steps.append(step)
            if not as_json:
                typer.echo(f"{'would' if dry_run else 'done'}: {step.action} {step.kind} {step.name}")

        access = Access(api, token, api_tls, api_ca_file)
        city_wanted = wanted(read_city(city), tenant, seed, devices, activation, fleet)
        try:
            asyncio.run(provision(city_wanted, access, on_step, dry_run=dry_run))
        finally:
            if as_json:
                typer.echo(json.dumps({"dry_run": dry_run, "steps": [step._asdict() for step in steps]}))
        if not as_json:
            typer.echo(summary(steps))


def _fits(api: str, tenant: str) -> None:
    """Raises typer.BadParameter for an address without host or port, which gRPC would guess, and for no tenant."""
    host, _, port = api.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise typer.BadParameter(f"--api {api!r} is no HOST:PORT, expected for example localhost:8080")
    if not tenant.strip():
        raise typer.BadParameter("--tenant is empty")


def _fleet(models: str | None) -> tuple[str, ...]:
    """The codecs' ids of `--models`; none without it."""
    try:
        return () if models is None else catalog_models(models)
    except SimulatorError as error:
        raise typer.BadParameter(str(error)) from error


def summary(steps: Iterable[tuple[str, str, str]]) -> str:
    """One line: how many of each kind."""
    counts = Counter(f"{action} {kind}" for action, kind, _ in steps)
    return ", ".join(f"{what}: {number}" for what, number in counts.items()) or "nothing to do"
