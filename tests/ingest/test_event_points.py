"""Events of rules as points of the Influx measurement `event`."""

import timeit
from pathlib import Path
from typing import get_args

import pytest

from decoders.quantity import Privacy
from ingest.event_points import FIGURES, point_of
from ingest.events_example import SUBJECT, example
from ingest.journal_records import EventRow
from ingest.line_protocol import Line, parse
from rules.asset import Asset
from rules.event import DeviceHealth, DeviceProblem, Event, NetworkHealth
from rules.event_waste import ContainerDue, DueReason
from rules.events import EVENT_TYPES
from tests.ingest.bench import city_settings, running
from tests.ingest.grafana.events import NOW, alert, condition
from tests.ingest.uplinks import BIN_DEVICE, LOT_DEVICES, message, occupied

TOLD = [kind for kind in EVENT_TYPES if kind not in FIGURES]


def made(kind: type[Event], **data: object) -> Event:
    """An example of a type, with these data."""
    fields = example(kind.model_json_schema(), {})
    return kind.model_validate({**fields, "data": {**fields["data"], **data}})


def told(event: Event, status: str = "pending", *assets: Asset) -> tuple[Privacy, Line]:
    """Class and line of an event."""
    found = point_of(event, EventRow.of(event, status), {asset.id: asset for asset in assets})
    assert found is not None
    return found[0], parse(found[1].encode())


def asset(kind: str, name: str = SUBJECT, **properties: object) -> Asset:
    """An asset of the district Mitte."""
    return Asset(name, kind, name, properties, (), 7.8, 51.7, "Mitte")


@pytest.mark.parametrize("kind", TOLD)
def test_every_event_is_one_point_with_words_for_people(kind: type[Event]) -> None:
    """Id, how it is kept, a status and words in both languages, at the event's time, of the event's rule."""
    event = made(kind)
    _, point = told(event)
    assert (point.measurement, point.time_ms) == ("event", event.time_ms)
    assert point.tags["channel"].startswith(event.data.rule)
    assert (point.fields["id"], point.fields["kept"]) == (event.id, "active")
    texts = [point.fields[name] for name in ("status", "text_de", "text_en")]
    assert all(isinstance(text, str) and text for text in texts)


@pytest.mark.parametrize("kind", TOLD)
def test_no_field_has_another_type_than_where_chirpstacks_events_use_its_name(kind: type[Event]) -> None:
    """InfluxDB refuses a point whose field is a number here and text there: `level` and `f_cnt` are taken."""
    _, point = told(made(kind))
    assert not {"level", "f_cnt", "text", "code"} & point.fields.keys()
    assert {name for name, value in point.fields.items() if isinstance(value, float)} <= {
        "alert_level",
        "distance_m",
        "saved_m",
        "stops",
    }


def test_what_one_rule_says_at_one_instant_stays_apart() -> None:
    """Types of one rule about one asset have channels of their own, or one would overwrite the other."""
    events = [made(kind, rule="custom.a") for kind in TOLD]
    requesting = [event for event in events if event.type.endswith(("signal_plan_requested.v1", "control_health.v1"))]
    custom = [event for event in events if ".custom.condition" in event.type or ".custom.downlink.v1" in event.type]
    for pair in (requesting, custom):
        assert len({told(event)[1].tags["channel"] for event in pair}) == 2


@pytest.mark.parametrize("kind", sorted(FIGURES, key=str))
def test_figures_are_no_news(kind: type[Event]) -> None:
    """What was measured, and how full a lot is, stands in other Influx measurements."""
    assert point_of(made(kind), EventRow.of(made(kind), "pending"), {}) is None


@pytest.mark.parametrize(
    ("status", "kept"),
    [("pending", "active"), ("waiting", "confirm"), ("shadow", "shadow"), ("off", ""), ("backlog", "")],
)
def test_the_point_says_how_the_event_is_kept(status: str, kept: str) -> None:
    """In field mode, too; one that its mode suppresses, or a backlog's request, did not happen."""
    found = point_of(condition(), EventRow.of(condition(), status), {})
    assert found is None if not kept else found is not None and parse(found[1].encode()).fields["kept"] == kept


def test_alerts_have_a_level_and_conditions_a_severity() -> None:
    """Numbers for thresholds, words as they are, whatever is in them."""
    _, point = told(alert("raised", 3, 0), "pending", asset("station", "station-1"))
    assert (point.fields["alert_level"], point.fields["status"]) == (3.0, "raised")
    assert (point.tags["asset"], point.tags["district"]) == ("station-1", "Mitte")
    _, point = told(condition(severity="info", text='sagt "halt" \\ und\nweiter, = für 5 µg'))
    assert point.fields["severity"] == "info"
    assert point.fields["text_de"] == 'sagt "halt" \\ und weiter, = für 5 µg'


def test_health_is_about_a_device_or_a_gateway() -> None:
    """With its tags, so that a dashboard of a device finds it; of all gateways as `all`."""
    privacy, point = told(made(DeviceHealth, problems=["silent", "battery_low"], asset="lot-1"))
    assert (privacy, point.tags["asset"], point.tags["dev_eui"]) == (Privacy.INTERNAL, "lot-1", SUBJECT)
    assert point.fields["text_de"] == "stumm, Batterie schwach"
    _, point = told(made(DeviceHealth, problems=[], state="ok", asset=None))
    assert ("asset" in point.tags, point.fields["text_en"], point.fields["status"]) == (False, "all right again", "ok")
    privacy, point = told(made(NetworkHealth, state="silent").model_copy(update={"subject": "all"}))
    assert (privacy, point.tags["gateway"], point.fields["text_en"]) == (Privacy.INTERNAL, "all", "network silent")
    assert "asset" not in point.tags


@pytest.mark.parametrize(
    ("due", "reason", "status", "text"),
    [(True, "over_threshold", "due", "Leerung fällig"), (False, "emptied", "ok", "geleert")],
)
def test_containers_say_why(due: bool, reason: str, status: str, text: str) -> None:
    """Due or not, and for which reason."""
    _, point = told(made(ContainerDue, due=due, reason=reason))
    assert (point.fields["status"], point.fields["text_de"]) == (status, text)


@pytest.mark.parametrize(
    ("where", "privacy"),
    [
        (asset("station", "station-1"), Privacy.OPEN),
        (asset("lot", "station-1", capacity=5), Privacy.OPEN),
        (asset("lot", "station-1", capacity=4), Privacy.INTERNAL),
        (asset("lot", "station-1"), Privacy.INTERNAL),
        (asset("space", "station-1"), Privacy.INTERNAL),
    ],
)
def test_what_tells_of_single_cars_stays_inside(where: Asset, privacy: Privacy) -> None:
    """The class of the asset's figures is the class of its events."""
    assert told(condition(), "pending", where)[0] is privacy


def test_every_word_of_the_models_has_its_translation() -> None:
    """Reasons of containers and problems of devices, all that there are."""
    for reason in get_args(DueReason):
        told(made(ContainerDue, reason=reason))
    for problem in get_args(DeviceProblem):
        told(made(DeviceHealth, problems=[problem]))


async def test_the_points_are_in_the_commit_of_their_event(tmp_path: Path) -> None:
    """A container that is full is one point of `event`; the lot, of which there is a new state, has none."""
    async with running(city_settings(tmp_path)) as bench:
        full = bytes.fromhex("0175640367f8000482c800050000")
        await bench.send(message(dev_eui=LOT_DEVICES[0], payload=occupied(yes=True), time_ms=NOW))
        await bench.send(
            message(dev_eui=BIN_DEVICE, payload=full, f_port=85, profile="Milesight EM400-MUD", time_ms=NOW)
        )
        lines = [parse(line.encode()) for line in await bench.lines()]
        assert await bench.letters() == []
    said = [line for line in lines if line.measurement == "event"]
    assert {(line.tags["asset"], line.tags["channel"]) for line in said} == {("container-1", "waste.collection_due")}
    assert [line.fields["status"] for line in said] == ["ok", "due"]


def test_a_point_costs_microseconds() -> None:
    """A bound so generous that only another order of magnitude fails it."""
    alerting, assets = alert("raised", 3, 0), {"station-1": asset("station", "station-1")}
    row = EventRow.of(alerting, "pending")
    rounds = 2000
    spent_s = min(timeit.repeat(lambda: point_of(alerting, row, assets), number=rounds, repeat=5))
    assert spent_s / rounds < 100e-6
