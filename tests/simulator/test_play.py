"""The simulated city as a whole: deterministic, true to its world, and exact about what it caused."""

import importlib.resources
from collections import defaultdict
from itertools import pairwise

import pytest

from decoders import catalog
from decoders.error import DecodeError
from decoders.quantity import Quantity
from decoders.simulated import SIMULATED_PREFIX, is_simulated
from ingest.chirpstack import EventError, JoinEvent, StatusEvent, UplinkEvent, parse, topic_parser, uplink
from rules.city import City
from simulator.chirpstack import Encoding, Up
from simulator.counters import PmxTcr
from simulator.depot.collected import Collected
from simulator.depot.report import Stopped
from simulator.depot.report import message as report_message
from simulator.device import NS_PER_S, Device
from simulator.devices.downlinks import Downlinks
from simulator.devices.forms import figures_of
from simulator.error import SimulatorError
from simulator.faults import NO_UPLINK, Message, Outcome
from simulator.models import SENSORS
from simulator.play import Plan, Simulation
from simulator.scenario.model import Scenario
from simulator.sensor import Frame
from simulator.world import Moment
from tests.simulator.scenario.played import part_of_the_city

NOON_NS = 1_795_000_000 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
TOPIC = topic_parser("application/{application_id}/device/{dev_eui}/event/{event}")
TEXT = (importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8")
CITY = City.parse(TEXT)


def _plan(*, seed: int = 1, devices: int | None = None, encoding: Encoding = "json", faults: bool = False) -> Plan:
    return Plan(seed=seed, start_ns=NOON_NS, devices=devices, encoding=encoding, faults=faults)


def _play(plan: Plan, hours: float = 1) -> tuple[Simulation, list[Message]]:
    simulation = Simulation(CITY, plan)
    messages = list(simulation.messages(NOON_NS + int(hours * HOUR_NS)))
    for message in messages:
        simulation.report.count(message)
    return simulation, messages


def _uplinks(messages: list[Message]) -> list[UplinkEvent]:
    events = [parse(TOPIC(message.topic).event, message.payload) for message in messages]
    return [event for event in events if isinstance(event, UplinkEvent)]


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_deterministic(encoding: Encoding) -> None:
    """The same seed and start give the same bytes, another seed gives others."""
    plan = _plan(encoding=encoding, faults=True)
    assert _play(plan)[1] == _play(plan)[1]
    assert _play(plan)[1] != _play(_plan(seed=2, encoding=encoding, faults=True))[1]


def test_both_encodings_are_the_same_city() -> None:
    """JSON and protobuf carry the same events, message by message."""
    written, packed = _play(_plan())[1], _play(_plan(encoding="protobuf"))[1]
    assert len(written) == len(packed) > 200
    for one, other in zip(written, packed, strict=True):
        assert one.topic == other.topic
        assert parse(TOPIC(one.topic).event, one.payload) == parse(TOPIC(one.topic).event, other.payload)


def test_in_order() -> None:
    """Messages come in the order of time, none before the start or after the end, none earlier than its own nsTime."""
    _, messages = _play(_plan(faults=True))
    times = [message.time_ns for message in messages]
    assert times == sorted(times)
    assert times[0] >= NOON_NS
    assert times[-1] < NOON_NS + HOUR_NS
    for message in messages:
        if message.outcome is Outcome.UNIQUE:
            event = parse("up", message.payload)
            assert isinstance(event, UplinkEvent)
            assert uplink(event).ns_time_ms == message.time_ns // 1_000_000
            assert event.time_ms <= uplink(event).ns_time_ms


def test_payloads_say_what_the_world_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every payload decodes through the catalog to the readings that its sensor took, for every simulated model."""
    taken: dict[tuple[str, int], Frame] = {}
    send = Device._send

    def remember(self: Device, frame: Frame, time_ns: int) -> Up | None:
        up = send(self, frame, time_ns)
        if up is not None:
            taken[up.device.dev_eui, up.f_cnt] = frame
        return up

    monkeypatch.setattr(Device, "_send", remember)
    simulation, messages = _play(_plan(), hours=3)
    events = _uplinks(messages)
    models = set()
    told_later = 0
    for event in events:
        info = event.device_info
        model = info.tags["codec"]
        models.add(model)
        frame = taken.get((info.dev_eui, event.f_cnt))
        if frame is None:
            told_later += 1
            continue
        (measurement,) = catalog.codec(model).decode(event.f_port, event.data, 0)
        f_port, readings, _ = frame
        assert f_port == event.f_port
        found = {(reading.quantity, reading.channel): reading.value for reading in measurement.readings}
        said = {(reading.quantity, reading.channel): reading.value for reading in readings}
        assert found == pytest.approx(said, abs=0.003), model
    assert models == set(SENSORS)
    assert told_later <= simulation.report.history


def test_frame_counters_grow() -> None:
    """Each device counts its frames up from 0 under one address; a gap is a frame nobody heard."""
    simulation, messages = _play(_plan(), hours=6)
    counters = defaultdict(list)
    for event in _uplinks(messages):
        counters[event.device_info.dev_eui, event.dev_addr].append(event.f_cnt)
    assert len(counters) == len({dev_eui for dev_eui, _ in counters})
    gaps = 0
    for found in counters.values():
        assert all(before < after for before, after in pairwise(found))
        gaps += found[-1] + 1 - len(found)
    assert 0 < gaps <= simulation.report.lost


def test_reports_cover_all_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter is asked for the interval since its last report, without gap or overlap, heard or not."""
    spans: dict[int, list[tuple[int, float]]] = defaultdict(list)
    report = PmxTcr.report

    def remember(self: PmxTcr, now: Moment, span_s: float, battery: float) -> Frame:
        spans[id(self)].append((now.ms, span_s))
        return report(self, now, span_s, battery)

    monkeypatch.setattr(PmxTcr, "report", remember)
    _play(_plan())
    assert len(spans) > 3
    for asked in spans.values():
        assert asked[0][1] == 300
        for (before, _), (now, span_s) in pairwise(asked):
            assert span_s == pytest.approx((now - before) / 1000, abs=0.002)
        assert asked[-1][1] == pytest.approx(300, abs=5)


def test_radio_of_a_city() -> None:
    """Uplinks are heard by one to four gateways of the city file, several often, at different spreading factors."""
    known = {asset.properties["gateway_id"] for asset in CITY.assets.values() if asset.kind == "gateway"}
    events = _uplinks(_play(_plan(), hours=2)[1])
    copies = [len(event.rx_info) for event in events]
    assert set(copies) <= {1, 2, 3, 4}
    assert sum(count > 1 for count in copies) > len(events) / 10
    for event in events:
        heard_by = [rx.gateway_id for rx in event.rx_info]
        assert len(set(heard_by)) == len(heard_by)
        assert known.issuperset(heard_by)
        assert event.dr == 12 - uplink(event).spreading_factor
    assert len({event.dr for event in events}) > 2


def test_recognisable() -> None:
    """Every simulated device, copies and the unknown one too, has a reserved DevEUI and the tag."""
    _, messages = _play(_plan(devices=200, faults=True), hours=0.1)
    devices = {TOPIC(message.topic).dev_eui for message in messages}
    assert len(devices) >= 200
    assert all(is_simulated(dev_eui, {}) for dev_eui in devices)
    for message in messages:
        if message.outcome in (Outcome.UNIQUE, Outcome.JOIN, Outcome.UNKNOWN_PROFILE):
            info = parse(TOPIC(message.topic).event, message.payload).device_info
            assert is_simulated("", info.tags)
            assert info.dev_eui.startswith(SIMULATED_PREFIX)


def test_scale() -> None:
    """--devices takes the first of the city, or adds copies that belong to no asset."""
    own = len(Simulation(CITY, _plan()).devices)
    few = Simulation(CITY, _plan(devices=5)).devices
    many = Simulation(CITY, _plan(devices=own + 7)).devices
    assert [device.identity.dev_eui for device in few] == [device.identity.dev_eui for device in many[:5]]
    assert len({device.identity.dev_eui for device in many}) == own + 7
    assert all("asset" in device.identity.tags for device in many[:own])
    assert not any("asset" in device.identity.tags for device in many[own:])


def test_joins_and_status() -> None:
    """Every device joins once before its first uplink and answers for its status once a day."""
    simulation, messages = _play(_plan(devices=20), hours=24)
    joined = set()
    answers: dict[str, int] = defaultdict(int)
    for message in messages:
        topic = TOPIC(message.topic)
        event = parse(topic.event, message.payload)
        if isinstance(event, JoinEvent):
            assert topic.dev_eui not in joined
            joined.add(topic.dev_eui)
        elif isinstance(event, StatusEvent):
            answers[topic.dev_eui] += 1
            assert event.battery_level is not None
            assert 0 < event.battery_level <= 100
            assert -32 <= event.margin <= 31
        else:
            assert topic.dev_eui in joined
    assert len(joined) == simulation.report.counts[Outcome.JOIN] == 20
    assert 19 <= len(answers) <= 20
    assert set(answers.values()) == {1}


def _fate(message: Message, stored: set[tuple[str, str, int, bytes]]) -> Outcome:
    """What a service makes of an uplink, by the contract of its dead letters and duplicates."""
    topic = TOPIC(message.topic)
    try:
        event = parse("up", message.payload)
    except EventError:
        return Outcome.EVENT
    assert isinstance(event, UplinkEvent)
    info = event.device_info
    if info.dev_eui != topic.dev_eui:
        return Outcome.SPOOFED
    frame = (info.dev_eui, event.dev_addr, event.f_cnt, event.data)
    if frame in stored:
        return Outcome.DUPLICATE
    stored.add(frame)
    if "codec" not in info.tags:
        return Outcome.UNKNOWN_PROFILE
    try:
        catalog.codec(info.tags["codec"]).decode(event.f_port, event.data, 0)
    except DecodeError:
        return Outcome.DECODE
    return Outcome.UNIQUE


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_faults_are_counted(encoding: Encoding) -> None:
    """Each message's fate is the one foretold; every kind occurs within an hour, and the report adds up."""
    simulation, messages = _play(_plan(encoding=encoding, faults=True))
    stored: set[tuple[str, str, int, bytes]] = set()
    fates: dict[Outcome, int] = defaultdict(int)
    for message in messages:
        if message.outcome not in NO_UPLINK:
            fate = _fate(message, stored)
            assert fate is message.outcome
            fates[fate] += 1
    report = simulation.report.as_dict()
    assert all(fates[outcome] for outcome in Outcome if outcome not in NO_UPLINK)
    assert report["unique"] == fates[Outcome.UNIQUE]
    assert report["duplicates"] == fates[Outcome.DUPLICATE]
    assert report["dead_letters"] == {
        reason: fates[Outcome(reason)] for reason in ("unknown_profile", "decode", "event", "spoofed")
    }
    assert report["published"] == sum(fates.values())


def test_late_copy_and_redelivery() -> None:
    """Of duplicates, redelivered ones are the same bytes, late copies have an id of their own and one gateway."""
    _, messages = _play(_plan(faults=True), hours=2)
    firsts = {message.payload for message in messages if message.outcome is Outcome.UNIQUE}
    identifiers = {event.deduplication_id for event in _uplinks([m for m in messages if m.outcome is Outcome.UNIQUE])}
    duplicates = [message for message in messages if message.outcome is Outcome.DUPLICATE]
    same = [message for message in duplicates if message.payload in firsts]
    late = _uplinks([message for message in duplicates if message.payload not in firsts])
    assert same
    assert late
    assert all(event.deduplication_id not in identifiers and len(event.rx_info) == 1 for event in late)


def test_without_faults() -> None:
    """Without faults every uplink is unique and there is no unknown device."""
    report = _play(_plan())[0].report.as_dict()
    assert report["published"] == report["unique"]
    assert report["duplicates"] == 0


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('"kind": "gateway"', '"kind": "depot"', "no gateway"),
        ('"model": "pmx/tcr"', '"model": "acme/tcr"', "'acme/tcr'"),
        ('"dev_eui": "025354464b000001"', '"dev_eui": "a84041ffff000001"', "a84041ffff000001 is outside"),
        ('"interval_s": 300', '"interval_s": 0', "interval_s"),
    ],
)
def test_useless_city(before: str, after: str, named: str) -> None:
    """A city that cannot be simulated is an error that names feature and value."""
    assert before in TEXT
    with pytest.raises(SimulatorError, match=named):
        Simulation(City.parse(TEXT.replace(before, after)), _plan())


@pytest.mark.parametrize("model", ["dragino/lht65n", "decentlab/dl-pr26"])
def test_any_model_of_the_catalog_has_a_place_in_a_city(model: str) -> None:
    """A station of a model without a sensor of its own here belongs to its asset, and may be stuck; its copies, too."""
    city = City.parse(TEXT.replace('"model": "elsys/generic"', f'"model": "{model}"'))
    scenario = Scenario.model_validate({"title": "x", "sensor": [{"fault": "stuck", "models": [model]}]})
    simulation = Simulation(city, Plan(seed=1, start_ns=NOON_NS, devices=300, scenario=scenario))
    assert sum(device.identity.tags["codec"] == model for device in simulation.devices) > 1
    said = defaultdict(set)
    for event in _uplinks(list(simulation.messages(NOON_NS + 2 * HOUR_NS))):
        tags = event.device_info.tags
        if tags["codec"] == model and "asset" in tags:
            figures = figures_of(catalog.codec(model), tags)
            (measurement,) = catalog.codec(model).decode(event.f_port, event.data, 0, figures)
            for each in measurement.readings:
                said[tags["asset"], event.f_port, each.quantity, each.channel].add(each.value)
    assert {asset for asset, *_ in said} == {
        asset.id for asset in city.assets.values() if any(each.model == model for each in asset.devices)
    }
    assert all(len(values) == 1 for (*_, quantity, _), values in said.items() if not quantity.diagnostic)


def test_the_report_tells_what_was_unsent_and_refused() -> None:
    """Frames that no airtime was left for are told beside the unheard, and messages that are no commands as refused."""
    downlinks = Downlinks()
    simulation = Simulation(CITY, _plan(), downlinks=downlinks)
    downlinks.offer("application/x/device/025354464b000001/command/down", b"{")
    list(simulation.messages(NOON_NS + HOUR_NS))
    simulation.devices[0].unsent += 2
    simulation.devices[1].unsent += 1
    report = simulation.report.as_dict()
    assert (report["unsent"], report["refused"]) == (3, 1)


@pytest.mark.parametrize("devices", [None, 300])
def test_counters_at_a_gate_count_what_the_spaces_say(devices: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each car that comes to a space of the lot or leaves it, and nobody at the copies of its spaces elsewhere."""
    lot = CITY.assets["lot-santa-monica-platz"]
    ways = {each.dev_eui: str(each.properties["counts"]) for each in lot.devices if "counts" in each.properties}
    moved: dict[str, int] = defaultdict(int)
    change = Device.change

    def remember(self: Device, time_ns: int) -> Up | None:
        before = change(self, time_ns)
        if self.identity.tags.get("asset") == lot.id:
            moved["in" if self.sensor.report(self._moment(time_ns), 0, 1).readings[0].value else "out"] += 1
        return before

    monkeypatch.setattr(Device, "change", remember)
    totals: dict[str, list[int]] = defaultdict(list)
    simulation = Simulation(CITY, _plan(devices=devices))
    for message in simulation.messages(NOON_NS + 18 * HOUR_NS):
        dev_eui = message.topic.split("/")[3]
        if dev_eui in ways and message.outcome is Outcome.UNIQUE:
            (event,) = _uplinks([message])
            totals[ways[dev_eui]].append(int.from_bytes(event.data, "big"))
    for way, found in totals.items():
        assert all(one <= other for one, other in pairwise(found))
        assert 0 <= moved[way] - (found[-1] - found[0]) <= 2
        assert moved[way] > 10


def test_a_detector_counts_its_direction_on_its_channel() -> None:
    """In the morning more vehicles drive towards the city, past each detector on the side that its asset names."""
    morning = 1_795_071_600 * NS_PER_S
    simulation = Simulation(CITY, Plan(seed=4, start_ns=morning))
    counted: dict[str, float] = defaultdict(float)
    for event in _uplinks(list(simulation.messages(morning + 2 * HOUR_NS))):
        asset = CITY.assets.get(event.device_info.tags.get("asset", ""))
        if asset is None or asset.properties.get("role") != "demand":
            continue
        (measurement,) = catalog.codec("pmx/tcr").decode(event.f_port, event.data, 0)
        for reading in measurement.readings:
            if reading.quantity is Quantity.VEHICLE_COUNT:
                other = {"inbound": "outbound", "outbound": "inbound"}
                heading = str(asset.properties["direction"])
                counted[heading if reading.channel == asset.properties["channel"] else other[heading]] += reading.value
    assert counted["inbound"] > 1.2 * counted["outbound"] > 100


@pytest.mark.parametrize("own_rounds", [True, False])
def test_without_rounds_of_its_own_nobody_empties_the_city(own_rounds: bool) -> None:
    """A plan without them leaves every container to who is told to empty it."""
    rounds: list[float] = []
    plan = Plan(seed=2, start_ns=NOON_NS, own_rounds=own_rounds)
    city = part_of_the_city(("container",))
    simulation = Simulation(city, plan, lambda row: rounds.append(row.value) if row.quantity == "collections" else None)
    for _ in simulation.messages(NOON_NS + 4 * 24 * HOUR_NS):
        pass
    assert (max(rounds) > 0) is own_rounds


def test_a_vehicle_empties_the_container_that_it_names() -> None:
    """From the time of its report on, that one alone; and its sensor sees it."""
    collected, name = Collected(), "container-suedring-1"
    note = report_message(Stopped(NOON_NS + 2 * HOUR_NS, "vehicle-glass-1", name))
    collected.offer(note.topic, note.payload)
    told: dict[tuple[str, str], list[float]] = defaultdict(list)
    plan = Plan(seed=2, start_ns=NOON_NS, own_rounds=False)
    simulation = Simulation(
        part_of_the_city(("container",)),
        plan,
        lambda row: told[row.asset, row.quantity].append(row.value),
        collected=collected,
    )
    messages = list(simulation.messages(NOON_NS + 5 * HOUR_NS))
    every = {asset: rounds for (asset, quantity), rounds in told.items() if quantity == "collections"}
    assert every.pop(name) == [0.0] * 24 + [1.0] * 36
    assert {max(rounds) for rounds in every.values()} == {0.0}
    levels = told[name, "fill_level"]
    assert levels[24] < 6 < levels[23]
    assert collected.emptied == 1
    seen = []
    for event in _uplinks(messages):
        if event.device_info.tags.get("asset") == name:
            (measurement,) = catalog.codec(event.device_info.tags["codec"]).decode(event.f_port, event.data, 0)
            seen += [each.value for each in measurement.readings if each.quantity is Quantity.DISTANCE]
    assert max(seen) > min(seen) + 40
