"""The city file: what is read from it, and how each mistake is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.asset import KINDS
from rules.city import City, CityError, Difference

EUI = "025354464b000001"
OTHER = "025354464b000002"
JANUARY, MARCH = 1_767_225_600_000, 1_772_323_200_000


def feature(id_: object = "lot-a", geometry: object = None, **properties: object) -> dict[str, object]:
    """A feature; a lot at a point unless told otherwise."""
    place = geometry or {"type": "Point", "coordinates": [7.82, 51.67]}
    return {"type": "Feature", "id": id_, "geometry": place, "properties": {"kind": "lot", **properties}}


def text(*features: object) -> str:
    """The city file with these features."""
    return json.dumps({"type": "FeatureCollection", "features": features})


def device(dev_eui: object = EUI, **rest: object) -> dict[str, object]:
    """An entry of `devices`."""
    return {"dev_eui": dev_eui, **rest}


def test_an_asset_carries_what_the_file_says() -> None:
    """Kind, name, position, district, properties and devices; the own keys are not repeated among the properties."""
    entry = device(EUI.upper(), model="bosch/tps110", interval_s=600, valid_from="2026-01-01T01:00:00+01:00")
    lot = feature(name="A", capacity=40, district="district-m", devices=[entry])
    city = City.parse(text(lot, feature("district-m", kind="district")))
    asset = city.assets["lot-a"]
    assert (asset.kind, asset.name, asset.longitude, asset.latitude) == ("lot", "A", 7.82, 51.67)
    assert (asset.district, asset.properties) == ("district-m", {"capacity": 40})
    (assignment,) = asset.devices
    assert (assignment.dev_eui, assignment.model, assignment.properties) == (EUI, "bosch/tps110", {"interval_s": 600})
    assert (assignment.valid_from_ms, assignment.valid_to_ms) == (JANUARY, None)
    assert city.assets["district-m"].district == "district-m"


def test_assets_are_in_the_zone_of_their_city() -> None:
    """Germany unless told otherwise."""
    assert City.parse(text(feature())).assets["lot-a"].timezone == "Europe/Berlin"
    assert City.parse(text(feature()), "Europe/Lisbon").assets["lot-a"].timezone == "Europe/Lisbon"


def test_the_position_of_a_shape_is_the_middle_of_its_box() -> None:
    """Lines and areas have one position for maps."""
    ring = [[[7.0, 51.0], [8.0, 51.0], [8.0, 52.0], [7.0, 51.0]]]
    city = City.parse(text(feature(geometry={"type": "Polygon", "coordinates": ring})))
    assert (city.assets["lot-a"].longitude, city.assets["lot-a"].latitude) == (7.5, 51.5)


def test_an_empty_city_knows_nobody() -> None:
    """Without a file no device has a place, whatever its tag says."""
    city = City()
    assert city.asset_of(EUI, 0, "lot-a") is None
    assert city.parameters(EUI, 0, "lot-a") == {}


def test_assignments_are_dated() -> None:
    """From valid_from (included) to valid_to (excluded) the device is here, then there, before and after nowhere."""
    first = feature(devices=[device(valid_from="2026-01-01T00:00:00Z", valid_to="2026-03-01T00:00:00Z")])
    second = feature("lot-b", devices=[device(valid_from="2026-03-01T00:00:00Z")])
    city = City.parse(text(second, first))
    found = [city.asset_of(EUI, time_ms) for time_ms in (JANUARY - 1, JANUARY, MARCH - 1, MARCH)]
    assert [asset.id if asset else None for asset in found] == [None, "lot-a", "lot-a", "lot-b"]


def test_the_file_wins_over_the_tag() -> None:
    """The tag counts for devices that the file does not name; unknown tags lead nowhere."""
    city = City.parse(text(feature(devices=[device()]), feature("lot-b")))
    found = [city.asset_of(dev_eui, 0, tag) for dev_eui, tag in ((EUI, "lot-b"), (OTHER, "lot-b"), (OTHER, "x"))]
    assert [asset.id if asset else None for asset in found] == ["lot-a", "lot-b", None]
    ended = City.parse(text(feature(devices=[device(valid_to="2026-01-01T00:00:00Z")]), feature("lot-b")))
    assert ended.asset_of(EUI, JANUARY, "lot-b") is None


def test_parameters_are_the_numbers_of_asset_and_assignment() -> None:
    """The assignment's win; texts and flags are none."""
    lot = feature(depth_mm=900, height_m=2.5, closed=True, fraction="paper", devices=[device(depth_mm=800)])
    city = City.parse(text(lot))
    assert city.parameters(EUI, 0) == {"depth_mm": 800.0, "height_m": 2.5}
    assert city.parameters(OTHER, 0, "lot-a") == {"depth_mm": 900.0, "height_m": 2.5}
    assert city.parameters(OTHER, 0) == {}


def test_differences_between_file_and_tags_are_listed() -> None:
    """By dev_eui: another asset, an unknown one, a place that ended; agreement is not listed."""
    lot = feature(devices=[device(valid_to="2026-01-01T00:00:00Z"), device(OTHER)])
    city = City.parse(text(lot, feature("lot-b")))
    tags = {OTHER: "lot-b", EUI: "lot-a", "0000000000000009": "nowhere", "0000000000000008": "lot-b"}
    nowhere = Difference("0000000000000009", "", "nowhere", known=False)
    moved = Difference(OTHER, "lot-a", "lot-b", known=True)
    assert city.differences(tags) == (nowhere, moved)
    assert city.differences(tags, JANUARY) == (nowhere, Difference(EUI, "", "lot-a", known=True), moved)


def in_devices(**entry: object) -> str:
    """A city whose lot has this one device entry."""
    return text(feature(devices=[entry]))


MISTAKES = {
    '{"type": "FeatureCollection",\n "features": [}': "line 2, column 15: no JSON",
    "[]": "no GeoJSON FeatureCollection",
    '{"type": "FeatureCollection"}': "property 'features' is None, expected a list",
    "[" * 100_000: "nests too deeply",
    text(feature(devices=[device(note="deep")])).replace('"deep"', "[" * 101 + "]" * 101): "nests too deeply",
    text(feature(geometry={"type": "Point", "coordinates": [True, 51.67]})): "[True, 51.67], expected [longitude",
    '{"type": NaN}': "holds the number NaN",
    '{"type": 1e999}': "holds the number 1e999",
    '{"id": "lot-a", "kind": 1, "kind": 2}': "feature 'lot-a': property 'kind' stands twice",
    text(1): "feature number 0: expected an object with `type` 'Feature'",
    text(feature(), feature(7)): "feature number 1: property 'id' is 7",
    text(feature("")): "feature number 0: property 'id' is ''",
    text(feature("a\nb")): "feature number 0: property 'id'",
    text(feature("\ud800")): "feature number 0: property 'id'",
    text(feature(), feature()): "feature 'lot-a': this id occurs twice",
    text({**feature(), "properties": None}): "feature 'lot-a': property 'properties' is None",
    text(feature(kind="lott")): "feature 'lot-a': property 'kind' is 'lott', expected one of container, control_group",
    text(feature(kind=None)): "feature 'lot-a': property 'kind' is missing",
    text(feature(name=3)): "feature 'lot-a': property 'name' is 3, expected text",
    text(
        feature(district="d"), feature("e", kind="district")
    ): "property 'district' is 'd', expected the id of a district",
    text(feature(geometry={"type": "Circle"})): "feature 'lot-a': property 'geometry' is {'type': 'Circle'}",
    text(
        feature(geometry={"type": "Point", "coordinates": [51.67, 97.82]})
    ): "expected [longitude, latitude] in degrees",
    text(
        feature(geometry={"type": "Point", "coordinates": "here"})
    ): "'geometry.coordinates' is 'here', expected a list",
    text(feature(geometry={"type": "Polygon", "coordinates": []})): "expected at least one position",
    text(feature(devices={})): "feature 'lot-a': property 'devices' is {}, expected a list",
    text(feature(devices=[EUI])): "property 'devices[0]' is '025354464b000001', expected an object",
    in_devices(): "property 'devices[0].dev_eui' is missing, expected 16 hex digits",
    in_devices(dev_eui="0253"): "property 'devices[0].dev_eui' is '0253'",
    in_devices(dev_eui=EUI, model=1): "property 'devices[0].model' is 1, expected text",
    in_devices(dev_eui=EUI, valid_from="soon"): "property 'devices[0].valid_from' is 'soon', expected a time like",
    in_devices(
        dev_eui=EUI, valid_to="2026-01-01"
    ): "property 'devices[0].valid_to' is '2026-01-01', expected a time with",
    in_devices(
        dev_eui=EUI, valid_from="2026-01-02T00:00:00Z", valid_to="2026-01-01T00:00:00Z"
    ): "property 'devices[0].valid_from' is '2026-01-02T00:00:00Z', expected before valid_to '2026-01-01T00:00:00Z'",
    text(feature(devices=[device()]), feature("lot-b", devices=[device()])): (
        "feature 'lot-b': device 025354464b000001 belongs to feature 'lot-a' at the same time"
    ),
    text(feature(devices=[device(), device(valid_from="2026-01-01T00:00:00Z")])): "at the same time",
}


@pytest.mark.parametrize(("city", "complaint"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_each_mistake_is_named(city: str, complaint: str) -> None:
    """The error names the feature, the property, its value and what was expected."""
    with pytest.raises(CityError) as caught:
        City.parse(city)
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["type", "id", "geometry", "properties"])
PROPERTIES = st.sampled_from(["kind", "name", "district", "devices", "capacity"])


@given(KEYS, JSON, PROPERTIES, JSON)
def test_any_content_gives_a_city_or_a_city_error(key: str, value: object, name: str, other: object) -> None:
    """Whatever stands in a feature, nothing else is raised."""
    content = {**feature(**{name: other}), key: value}
    try:
        City.parse(text(content))
    except CityError:
        return
    assert isinstance(content["id"], str)


@given(st.text(max_size=50))
def test_any_text_gives_a_city_or_a_city_error(content: str) -> None:
    """No other error comes out of the reader."""
    with pytest.raises(CityError):
        City.parse(content)


def test_the_kinds_are_those_of_the_contract() -> None:
    """Seventeen kinds, no more."""
    assert len(KINDS) == 17
    assert all(City.parse(text(feature(kind=kind))).assets["lot-a"].kind == kind for kind in KINDS)
