"""The examples of docs/rules-traffic.md work."""

import re
import tomllib
from pathlib import Path

from ingest.commands.signal_plan import RoadFile
from rules.city import City
from rules.engine import Engine
from rules.geojson import read_assets
from rules.traffic import approach_flow, measured, signal_plan
from rules.traffic.link import link
from rules.traffic.plan_config import configure
from rules.traffic.refusal import refusals

PAGE = (Path(__file__).parents[2] / "docs" / "rules-traffic.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's one block of a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_example_group_is_not_refused() -> None:
    """Its rules accept it, and `check` has nothing to say."""
    city = City(link(read_assets(block("json"))))
    assert refusals(city) == []
    assert len(configure(city.assets["werler-strasse"]).plans) == 4
    engine = Engine(city, [measured.RULE, approach_flow.RULE, signal_plan.RULE])
    assert len(engine.subjects_of("werler-nord")) == 3


def test_the_example_road_is_read() -> None:
    """With its junctions."""
    assert len(RoadFile.model_validate(tomllib.loads(block("toml"))).junctions) == 2
