"""The options of `simulate` that are about scenarios."""

from pathlib import Path

import typer

from simulator.files import read_city, speaking_plainly
from simulator.scenario.bad_day import OF_READINGS
from simulator.scenario.file import UnknownScenario, check, load, shipped
from simulator.scenario.model import ORDINARY, Scenario


def print_list(asked: bool) -> None:
    """One line for each shipped scenario, and the end of the command."""
    if not asked:
        return
    with speaking_plainly():
        width = max(map(len, shipped()), default=0)
        for name in shipped():
            typer.echo(f"{name:<{width}}  {load(name).scenario.title}")
    raise typer.Exit


def chosen(name: str | None, city: Path | None) -> Scenario:
    """The scenario of a name or file, checked against the city; a usage error where there is none of that name."""
    if name is None:
        return ORDINARY
    with speaking_plainly():
        try:
            loaded = load(name)
        except UnknownScenario as error:
            raise typer.BadParameter(str(error)) from error
        check(loaded, read_city(city))
    return loaded.scenario


def only_the_world(scenario: Scenario) -> None:
    """A usage error where a scenario changes more than world and gateways: a network server decides the rest."""
    if scenario.broker_outage or any(fault.fault not in OF_READINGS for fault in scenario.sensor):
        raise typer.BadParameter("--to chirpstack plays no scenario in which the broker or uplinks fail")
