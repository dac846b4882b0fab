"""The short plays whose scores are committed: as much of each shipped scenario as something happens in, and tours."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simulator.play import Plan
from simulator.scenario.file import load
from simulator.score.command import scored
from simulator.times import instant_ns
from tests.simulator.scenario.played import TEXT

COMMITTED = Path(__file__).with_name("committed.json")
NS_PER_HOUR = 3_600_000_000_000
TRAFFIC = ("detector", "junction", "control_group", "corridor")
TOWN = ("lot", *TRAFFIC)
WASTE = ("container", "vehicle", "depot", "disposal_site")


class Scene(NamedTuple):
    """How many hours of a scenario, which kinds of assets of the example city take part, in steps of how many s.

    `scenario` is that of its name where none is named; with `collected` the service's tours empty the containers.
    """

    name: str
    hours: float
    kinds: tuple[str, ...]
    step_s: float = 60
    scenario: str = ""
    collected: bool = False

    @property
    def plays(self) -> str:
        """The name of the scenario."""
        return self.scenario or self.name


SCENES = (
    Scene("ordinary-week", 9, TOWN),
    Scene("saturday-shopping", 8, TOWN),
    Scene("event-maximilianpark", 8, TOWN),
    Scene("heavy-rain", 12, ("station", "gauge"), 100),
    Scene("heat-wave", 17, ("station",), 100),
    Scene("freezing-rain", 6, ("station", "road_section", "detector", "junction")),
    Scene("collection-strike", 126, ("container",), 110),
    Scene("gateway-outage", 5, ("lot", "container")),
    Scene("bad-day-for-sensors", 6, (*TOWN, "station", "gauge")),
    Scene("broker-outage", 3, TOWN),
    Scene("incident", 5, TRAFFIC),
    Scene("collected", 106, WASTE, 110, scenario="ordinary-week", collected=True),
)


def played(scene: Scene, folder: Path, seed: int = 1) -> dict[str, Any]:
    """The score of a scene, as JSON has it; its city is written into the folder."""
    scenario = load(scene.plays).scenario
    assert scenario.begin is not None
    start_ns = instant_ns(scenario.begin.isoformat())
    plan = Plan(seed=seed, start_ns=start_ns, scenario=scenario, own_rounds=not scene.collected)
    end_ns = start_ns + int(scene.hours * NS_PER_HOUR)
    score = scored(smaller(scene.kinds, folder), plan, end_ns, quiet=True, step_s=scene.step_s)
    found: dict[str, Any] = json.loads(json.dumps(score.as_dict()))
    return found


def smaller(kinds: tuple[str, ...], folder: Path) -> Path:
    """The example city with its gateways and assets of these kinds only."""
    city: Mapping[str, Any] = json.loads(TEXT)
    kept = [each for each in city["features"] if each["properties"]["kind"] in {*kinds, "gateway", "district"}]
    path = folder / "city.geojson"
    path.write_text(json.dumps({**city, "features": kept}))
    return path
