"""What `check` says of tours."""

import importlib.util
from pathlib import Path

import pytest

from ingest import check_routes
from ingest.app import read_city
from ingest.broker import free_port
from ingest.check import findings as all_findings
from ingest.check_routes import SHOWN, findings
from ingest.finding import Finding
from ingest.settings import Settings, load
from rules.waste.route.fleet import vehicles_in
from tests.doubles.routing_engine import routing_engine
from tests.rules.waste.route.cities import Feature, container, depot, document, site, vehicle

EXAMPLE = Path(__file__).parents[2] / "deploy" / "city" / "hamm.geojson"


def made(folder: Path, *features: Feature, **routes: object) -> Settings:
    """Settings with a city of these."""
    (folder / "city.geojson").write_text(document(depot(), site(), *features))
    journal = {"path": folder / "journal.db"}
    return load(city={"file": folder / "city.geojson"}, journal=journal, routes=routes, mqtt={"port": free_port()})


async def said(settings: Settings) -> list[tuple[str, str]]:
    """Level and text of each finding."""
    return [(found.level, found.text) for found in await findings(settings)]


async def test_a_city_in_which_all_fits_is_not_spoken_of(tmp_path: Path) -> None:
    """Neither is one without vehicles, whatever its containers lack, nor one that cannot be read."""
    assert await said(made(tmp_path, vehicle(), container())) == []
    assert await said(made(tmp_path, container(fraction=None, volume_l=None, kerb="north"))) == []
    settings = made(tmp_path)
    (tmp_path / "city.geojson").write_text("{")
    assert await said(settings) == []
    assert await findings(load()) == []


async def test_the_example_city_fits(tmp_path: Path) -> None:
    """Each of its containers, full, can be emptied by one of its vehicles."""
    settings = made(tmp_path)
    (tmp_path / "city.geojson").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert len(vehicles_in(read_city(settings))) == 3
    assert await said(settings) == []


async def test_each_asset_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """All of them, each with its first mistake; a site that nobody goes to is not looked at."""
    found = await said(
        made(
            tmp_path,
            vehicle(capacity={}),
            vehicle("truck-2", disposal_sites=["dump"]),
            site("dump", fractions=[]),
            site("other", fractions=[]),
            container(kerb="north"),
        )
    )
    assert {level for level, _ in found} == {"error"}
    assert [text.partition(" is ")[0] for _, text in found] == [
        "feature 'truck-1': property 'capacity'",
        "feature 'dump': property 'fractions'",
        "feature 'bin-1': property 'kerb'",
    ]


async def test_what_no_vehicle_can_do_is_a_warning(tmp_path: Path) -> None:
    """A container too large, one without volume, fractions that nobody takes, and one that none is given."""
    found = await said(
        made(
            tmp_path,
            vehicle(),
            container("large", volume_l=50_000),
            container("unknown", volume_l=None),
            *(container(f"glass-{number}", fraction="glass") for number in range(7)),
            container("nothing", fraction=None),
        )
    )
    assert {level for level, _ in found} == {"warning"}
    texts = [text for _, text in found]
    assert texts[0].startswith("large: no vehicle can serve it: truck-1 holds 9000 kg, 30000 l")
    assert texts[1] == "unknown: volume is None l, expected more than 0: set `volume_l` of the container"
    assert texts[2:] == [
        "no vehicle takes glass: glass-0, glass-1, glass-2, glass-3, glass-4 and 2 more",
        "no vehicle takes what has no `fraction`: nothing",
    ]


async def test_a_vehicle_for_two_fractions_is_looked_at_for_each(tmp_path: Path) -> None:
    """Sites for one each are no fault; a vehicle's fault is told once, in however many parts its containers are."""
    both = {name: {"mass_kg": 9000, "volume_l": 30_000} for name in ("paper", "glass")}
    apart = [site("p", fractions=["paper"]), site("g", fractions=["glass"])]
    cars = vehicle(capacity=both, disposal_sites=["g", "p"])
    assert await said(made(tmp_path, *apart, cars, container(), container("bin-2", fraction="glass"))) == []
    some = [container(f"bin-{number}") for number in range(check_routes.AT_ONCE + 1)]
    found = await said(made(tmp_path, *apart, vehicle(disposal_sites=["g"]), *some))
    assert [text for _, text in found] == [
        "truck-1: disposal site 'g' takes no paper: send the vehicle elsewhere or with less"
    ]


async def test_containers_beyond_the_first_part_are_looked_at(tmp_path: Path) -> None:
    """The last of many is named."""
    some = [container(f"bin-{number}") for number in range(check_routes.AT_ONCE)]
    found = await said(made(tmp_path, vehicle(), *some, container("last", volume_l=None)))
    assert [text.partition(":")[0] for _, text in found] == ["last"]


async def test_many_faults_are_summed_up(tmp_path: Path) -> None:
    """Twenty lines and a number."""
    some = [container(f"bin-{number}", volume_l=None) for number in range(SHOWN + 3)]
    found = await said(made(tmp_path, vehicle(), *some))
    assert len(found) == SHOWN + 1
    assert found[-1] == ("warning", "and 3 more lines about tours")


async def test_a_missing_solver_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the extra."""
    monkeypatch.setattr(check_routes, "find_spec", lambda name: None if name == "pyvrp" else importlib.util)
    assert await findings(made(tmp_path, vehicle())) == [
        Finding("warning", "routes", "no solver, no tour is planned: install stadtfunk[routes]")
    ]


async def test_the_routing_engine_is_asked(tmp_path: Path) -> None:
    """With each profile; one that does not answer is a warning, for tours are planned all the same."""
    cars = [vehicle(), vehicle("truck-2", profile="small")]
    async with routing_engine() as double:
        settings = made(tmp_path, *cars, engine="osrm", url=double.url)
        assert await said(settings) == [
            ("ok", f"{double.url}: osrm, driving"),
            ("ok", f"{double.url}: osrm, small"),
        ]
        assert double.asked == [(1, 1), (1, 1)]
    ((level, text), _) = await said(settings)
    assert level == "warning"
    assert text.endswith("tours are planned by straight lines")


async def test_check_tells_of_tours(tmp_path: Path) -> None:
    """Among all that it looks at."""
    found = await all_findings(made(tmp_path, vehicle(), container(volume_l=None)))
    assert [one.text.partition(":")[0] for one in found if one.subject == "city.file" and one.level == "warning"] == [
        "bin-1"
    ]
