"""ChirpStack's events: both encodings agree, old and new servers are read, whatever else is a clear error."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chirpstack_api.common import common_pb2
from chirpstack_api.gw import gw_pb2
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from ingest.chirpstack import (
    EVENTS,
    Event,
    EventError,
    LogEvent,
    StatusEvent,
    TopicError,
    UnknownEventError,
    UplinkEvent,
    parse,
    topic_parser,
    uplink,
)
from rules.condition_time import EARLIEST_MS

SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLE_UP = (SAMPLES / "chirpstack_up.json").read_bytes()
TEMPLATE = "application/{application_id}/device/{dev_eui}/event/{event}"

texts = st.text(max_size=12)
tags = st.dictionaries(texts, texts, max_size=3)
unsigned = st.integers(0, 2**32 - 1)
signed = st.integers(-(2**31), 2**31 - 1)
float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
identifiers = st.text("0123456789abcdef-", min_size=1, max_size=36)
addresses = st.integers(0, 2**32 - 1).map("{:08x}".format)
stamps = st.builds(Timestamp, seconds=st.integers(-8_520_336_000, 9_214_646_399), nanos=st.integers(0, 10**9 - 1))
infos = st.builds(
    integration.DeviceInfo,
    tenant_name=texts,
    application_id=texts,
    application_name=texts,
    device_profile_name=texts,
    device_name=texts,
    dev_eui=st.integers(0, 2**64 - 1).map("{:016x}".format),
    device_class_enabled=st.sampled_from(list(common_pb2.DeviceClass.values())),
    tags=tags,
)
modulations = st.one_of(
    st.builds(
        gw_pb2.Modulation, lora=st.builds(gw_pb2.LoraModulationInfo, bandwidth=unsigned, spreading_factor=unsigned)
    ),
    st.builds(gw_pb2.Modulation, fsk=st.builds(gw_pb2.FskModulationInfo, datarate=unsigned)),
)
places = st.builds(
    common_pb2.Location,
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    altitude=st.floats(-500, 9000),
    source=st.sampled_from(list(common_pb2.LocationSource.values())),
    accuracy=float32,
)
receptions = st.builds(
    gw_pb2.UplinkRxInfo,
    gateway_id=identifiers,
    uplink_id=unsigned,
    ns_time=st.none() | stamps,
    rssi=signed,
    snr=float32,
    location=st.none() | places,
    crc_status=st.sampled_from(list(gw_pb2.CRCStatus.values())),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _structs() -> st.SearchStrategy[Struct]:
    return st.dictionaries(texts, json_values, max_size=3).map(lambda fields: json_format.ParseDict(fields, Struct()))


common = {"time": stamps, "device_info": infos}
identified = common | {"deduplication_id": identifiers}
messages: dict[str, st.SearchStrategy[Message]] = {
    "up": st.builds(
        integration.UplinkEvent,
        dev_addr=addresses,
        adr=st.booleans(),
        dr=st.integers(0, 15),
        f_cnt=unsigned,
        f_port=st.integers(0, 255),
        confirmed=st.booleans(),
        data=st.binary(max_size=51),
        object=st.none() | _structs(),
        rx_info=st.lists(receptions, max_size=3),
        tx_info=st.none() | st.builds(gw_pb2.UplinkTxInfo, frequency=unsigned, modulation=st.none() | modulations),
        **identified,
    ),
    "join": st.builds(integration.JoinEvent, dev_addr=addresses, **identified),
    "ack": st.builds(
        integration.AckEvent, queue_item_id=texts, acknowledged=st.booleans(), f_cnt_down=unsigned, **identified
    ),
    "txack": st.builds(
        integration.TxAckEvent,
        downlink_id=unsigned,
        queue_item_id=texts,
        f_cnt_down=unsigned,
        gateway_id=identifiers,
        tx_info=st.builds(gw_pb2.DownlinkTxInfo, frequency=unsigned, power=signed, modulation=modulations),
        **common,
    ),
    "log": st.builds(
        integration.LogEvent,
        level=st.sampled_from(list(integration.LogLevel.values())),
        code=st.sampled_from(list(integration.LogCode.values())),
        description=texts,
        context=tags,
        **common,
    ),
    "status": st.builds(
        integration.StatusEvent,
        margin=signed,
        external_power_source=st.booleans(),
        battery_level_unavailable=st.booleans(),
        battery_level=st.floats(0, 100, width=32),
        **identified,
    ),
    "location": st.builds(integration.LocationEvent, location=places, **identified),
}


def _as_json(message: Message, *, whole: bool) -> bytes:
    return json_format.MessageToJson(message, always_print_fields_with_no_presence=whole).encode()


def _sample(**changes: object) -> bytes:
    return json.dumps(json.loads(SAMPLE_UP) | changes).encode()


def _up(payload: bytes) -> UplinkEvent:
    event = parse("up", payload)
    assert isinstance(event, UplinkEvent)
    return event


@pytest.mark.parametrize("event", EVENTS)
@given(data=st.data())
def test_both_encodings_agree(event: str, data: st.DataObject) -> None:
    """JSON with and without defaults, protobuf, and each found by `auto`: one and the same object."""
    message = data.draw(messages[event])
    expected = parse(event, message.SerializeToString(), "protobuf")
    assert type(expected) is EVENTS[event]
    for whole in (True, False):
        written = _as_json(message, whole=whole)
        assert parse(event, written, "json") == expected
        assert parse(event, b"\r\n\t " + written, "auto") == expected
    assert parse(event, message.SerializeToString(), "auto") == expected


@given(message=messages["up"])
def test_times_agree(message: integration.UplinkEvent) -> None:
    """Milliseconds are rounded down alike in both encodings; ns_time is the newest, and used for one before 2015."""
    found = uplink(_up(_as_json(message, whole=False)))
    assert found == uplink(_up(message.SerializeToString()))
    time_ms = message.time.ToMilliseconds()
    taken = [rx.ns_time.ToMilliseconds() for rx in message.rx_info if rx.HasField("ns_time")]
    assert found.ns_time_ms == max(taken, default=time_ms)
    assert found.time_ms == (time_ms if time_ms >= EARLIEST_MS else found.ns_time_ms)


def _recorded() -> Iterator[tuple[str, bytes]]:
    for line in (SAMPLES / "chirpstack-4.20-events-json.ndjson").read_text().splitlines():
        record = json.loads(line)
        yield record["topic"], json.dumps(record["payload"]).encode()
    for line in (SAMPLES / "chirpstack-4.20-events-protobuf.ndjson").read_text().splitlines():
        record = json.loads(line)
        yield record["topic"], bytes.fromhex(record["payload_hex"])


def test_recorded_events() -> None:
    """Every event recorded from ChirpStack 4.20 parses and names the device of its topic."""
    parse_topic = topic_parser(TEMPLATE)
    seen: dict[str, int] = {}
    for text, payload in _recorded():
        topic = parse_topic(text)
        event = parse(topic.event, payload)
        assert event.device_info.dev_eui == topic.dev_eui
        assert event.device_info.application_id == topic.application_id
        seen[topic.event] = seen.get(topic.event, 0) + 1
    assert {name: seen[name] for name in ("up", "join", "status", "ack", "txack")} == {
        "up": 56,
        "join": 8,
        "status": 8,
        "ack": 2,
        "txack": 2,
    }
    assert seen["log"] >= 20


def test_sample_uplink() -> None:
    """The whole sample arrives in the uplink, value by value."""
    found = uplink(_up(SAMPLE_UP))
    assert found.deduplication_id == "5f0c1e7a-3c0d-4a57-9a0e-7d1b3a6f2c11"
    assert found.device == (
        "a84041ffff123456",
        "P-Markt-017",
        "parking-v1",
        "17c82e96-be03-4f38-aef3-f83d48582d97",
        "parking",
        {"site": "marktplatz"},
    )
    assert (found.dev_addr, found.f_port, found.f_cnt, found.data_rate) == ("01a2b3c4", 2, 0, 0)
    assert (found.time_ms, found.ns_time_ms) == (1_773_480_413_589, 1_773_480_413_702)
    assert (found.frequency_hz, found.spreading_factor, found.payload.hex()) == (867_700_000, 12, "0100640d1a")
    assert found.receptions == (("0016c001f153a14c", -97, 7.5), ("7276ff002e0614a2", -112, -3.2))
    assert _up(SAMPLE_UP).object == {"occupied": True, "battery": 3.35, "temp": 21.0}


@given(
    event=st.sampled_from(list(EVENTS)), payload=st.binary(max_size=200), encoding=st.sampled_from(["json", "protobuf"])
)
def test_any_bytes(event: str, payload: bytes, encoding: str) -> None:
    """Any bytes give an event or an EventError."""
    for each in (payload, b'{"time":' + payload, b"{" + payload):
        try:
            parse(event, each, "json" if encoding == "json" else "protobuf")
        except EventError as error:
            assert str(error).startswith(event)  # noqa: PT017 - either outcome is right


@given(data=st.data())
def test_damaged_events(data: st.DataObject) -> None:
    """A real event with bytes cut out or put in gives an event or an EventError of bounded length."""
    topic, payload = data.draw(st.sampled_from(list(_recorded())))
    start = data.draw(st.integers(0, len(payload)))
    stop = data.draw(st.integers(start, min(len(payload), start + 20)))
    damaged = payload[:start] + data.draw(st.binary(max_size=20)) + payload[stop:]
    try:
        parse(topic.rpartition("/")[2], damaged, "auto")
    except EventError as error:
        assert len(str(error)) < 600  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"data": "AQ=A"}, "data"),
        ({"data": "A"}, "data"),
        ({"data": "%%%%"}, "data"),
        ({"deduplicationId": ""}, "deduplicationId"),
        ({"deduplicationId": None}, "deduplicationId: Field required"),
        ({"deviceInfo": {"devEui": "a84041ffff12345"}}, "deviceInfo.devEui"),
        ({"deviceInfo": {"devEui": "a84041ffff12345g"}}, "'a84041ffff12345g'"),
        ({"deviceInfo": {"devEui": "a84041ffff123456\n"}}, "deviceInfo.devEui"),
        ({"deviceInfo": {}}, "deviceInfo.devEui: Field required"),
        ({"devAddr": "01a2b3"}, "devAddr"),
        ({"fCnt": 2**32}, "got 4294967296"),
        ({"fCnt": -1}, "fCnt"),
        ({"fPort": 256}, "fPort"),
        ({"time": "2026-03-14T09:26:53.589"}, "time"),
        ({"time": "yesterday"}, "'yesterday'"),
        ({"time": "1699-12-31T23:59:59Z"}, "time: Input should be greater than or equal to 1700"),
        ({"time": "9999-12-31T23:59:59Z"}, "time: Input should be less than or equal to 2262"),
        ({"rxInfo": [{"nsTime": "0001-01-01T00:00:00Z"}]}, "rxInfo.0.nsTime: Input should be greater than"),
        ({"time": 1773480413}, "time"),
        ({"rxInfo": [{"snr": float("nan")}]}, "rxInfo.0.snr"),
        ({"rxInfo": [{"snr": "-Infinity"}]}, "rxInfo.0.snr"),
        ({"rxInfo": [{}, {"rssi": 2**31}]}, "rxInfo.1.rssi"),
        ({"rxInfo": {}}, "rxInfo"),
        ({"object": []}, "object"),
        ({"deviceInfo": {"devEui": "a84041ffff123456", "tags": {"a\nb": 1}}}, "deviceInfo.tags.'a\\nb'"),
    ],
)
def test_error_names_field(changes: dict[str, object], named: str) -> None:
    """A value that is no uplink is an error that names field and value, in one line."""
    with pytest.raises(EventError, match=r"^up: [^\n]*$") as caught:
        parse("up", _sample(**changes))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        _sample().replace(b'"object": {', b'"object": {"deep": ' + b"[" * 5000 + b"]" * 5000 + b","),
        _sample().replace(b'"fCnt": 0', b'"fCnt": ' + b"9" * 6000),
        b'{"time": "' + b"x" * 1_000_000 + b'"}',
        b'{"rxInfo": [' + b"1," * 300_000 + b"1]}",
        b"",
        b"null",
    ],
    ids=["lists", "objects", "deep object", "digits", "long text", "many errors", "empty", "null"],
)
def test_monstrous_json(payload: bytes) -> None:
    """Depth, digits and megabytes of nonsense give a short error."""
    with pytest.raises(EventError) as caught:
        parse("up", payload, "json")
    assert len(str(caught.value)) < 600


def test_deep_protobuf() -> None:
    """Nesting beyond protobuf's limit is an error."""
    struct = b""
    for _ in range(3000):
        value = b"\x2a" + _size(struct) + struct
        entry = b"\x0a\x01k\x12" + _size(value) + value
        struct = b"\x0a" + _size(entry) + entry
    with pytest.raises(EventError, match="no protobuf event"):
        parse("up", b"\x5a" + _size(struct) + struct, "protobuf")


def _size(body: bytes) -> bytes:
    rest, out = len(body), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def _protobuf_up() -> integration.UplinkEvent:
    return json_format.Parse(SAMPLE_UP, integration.UplinkEvent())


def test_protobuf_limits() -> None:
    """What only protobuf can carry is refused by name: infinite SNR, a year beyond 9999, impossible nanoseconds."""
    for value in (float("inf"), float("-inf"), float("nan")):
        message = _protobuf_up()
        message.rx_info[1].snr = value
        with pytest.raises(EventError, match=r"rxInfo\.1\.snr"):
            parse("up", message.SerializeToString())
    message = _protobuf_up()
    message.time.seconds = 2**40
    with pytest.raises(EventError, match="time: year"):
        parse("up", message.SerializeToString())
    message = _protobuf_up()
    message.rx_info[0].ns_time.nanos = -1
    with pytest.raises(EventError, match=r"rxInfo\.nsTime: nanoseconds"):
        parse("up", message.SerializeToString())
    message = _protobuf_up()
    message.ClearField("time")
    with pytest.raises(EventError, match="time: Field required"):
        parse("up", message.SerializeToString())


def test_protobuf_object_nan() -> None:
    """Not-a-number in a decoded object becomes null, as in ChirpStack's JSON."""
    message = _protobuf_up()
    message.object.fields["temp"].number_value = float("nan")
    assert _up(message.SerializeToString()).object == {"occupied": True, "battery": 3.35, "temp": None}


def test_omitted_by_old_servers() -> None:
    """Servers before 4.1 omit defaults, those before 4.6 have no nsTime: both are read."""
    payload = b"""{"deduplicationId":"a","time":"2023-01-01T00:00:00Z","deviceInfo":{"devEui":"A84041FFFF123456"},
        "rxInfo":[{"gatewayId":"0016c001f153a14c","time":"2023-01-01T00:00:01Z","rssi":-80,"location":{}}]}"""
    found = uplink(_up(payload))
    assert (found.device.dev_eui, found.f_port, found.f_cnt, found.data_rate) == ("a84041ffff123456", 0, 0, 0)
    assert (found.payload, found.dev_addr, found.spreading_factor, found.frequency_hz) == (b"", "", 0, 0)
    assert found.ns_time_ms == found.time_ms == 1_672_531_200_000
    assert found.receptions == (("0016c001f153a14c", -80, 0.0),)


def test_null_is_default() -> None:
    """Null is a field's default everywhere but inside `object`, where it is a value."""
    changes = {"fCnt": None, "data": None, "txInfo": None, "rxInfo": [{"rssi": None, "snr": None, "nsTime": None}]}
    found = _up(_sample(**changes, object={"level": None}, deviceInfo={"devEui": "a84041ffff123456", "tags": None}))
    assert (found.f_cnt, found.data, found.tx_info, found.device_info.tags) == (0, b"", None, {})
    assert (found.rx_info[0].rssi, found.rx_info[0].snr) == (0, 0.0)
    assert found.object == {"level": None}


@pytest.mark.parametrize("data", ["+/8=", "+/8", "-_8=", "-_8"])
def test_base64_alphabets(data: str) -> None:
    """Both base64 alphabets, with and without padding, as protobuf's JSON mapping allows."""
    assert _up(_sample(data=data)).data == b"\xfb\xff"


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-03-14T09:26:53Z", 1_773_480_413_000),
        ("2026-03-14T09:26:53.589Z", 1_773_480_413_589),
        ("2026-03-14T09:26:53.589999+00:00", 1_773_480_413_589),
        ("2026-03-14T11:26:53.589999999+02:00", 1_773_480_413_589),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_times(text: str, milliseconds: int) -> None:
    """0 to 9 decimals, `Z` or offset; rounded towards minus infinity."""
    assert _up(_sample(time=text)).time_ms == milliseconds


def _head() -> dict[str, object]:
    return {"deduplicationId": "a", "time": "2026-03-14T09:26:53Z", "deviceInfo": {"devEui": "a84041ffff123456"}}


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"batteryLevel": 78.74016}, 78.74016),
        ({}, 0.0),
        ({"batteryLevel": 0, "externalPowerSource": True}, None),
        ({"batteryLevel": 0, "batteryLevelUnavailable": True}, None),
    ],
)
def test_battery_level(fields: dict[str, object], level: float | None) -> None:
    """A battery level beside either flag is unknown, not empty."""
    event = parse("status", json.dumps(_head() | fields).encode())
    assert isinstance(event, StatusEvent)
    assert event.battery_level == level


@pytest.mark.parametrize(
    ("given_code", "code"), [("OTAA", "OTAA"), (4, "OTAA"), (99, "99"), ("NEW_IN_5", "NEW_IN_5"), (None, "UNKNOWN")]
)
def test_log_codes(given_code: object, code: str) -> None:
    """Codes as name or number; those of newer servers are kept as they come."""
    event: Event = parse("log", json.dumps(_head() | {"code": given_code, "level": 2}).encode())
    assert isinstance(event, LogEvent)
    assert (event.code, event.level) == (code, "ERROR")
    message = integration.LogEvent(code=99)
    json_format.ParseDict(_head() | {"deduplicationId": None}, message, ignore_unknown_fields=True)
    newer = parse("log", message.SerializeToString())
    assert isinstance(newer, LogEvent)
    assert newer.code == "99"


def test_unknown_event() -> None:
    """An event that ChirpStack 4 does not have is an error that lists the known."""
    with pytest.raises(UnknownEventError, match="'integration': known are up, join"):
        parse("integration", b"{}")


def test_topic() -> None:
    """A topic gives application, device in lower case and event; single and double braces mean the same."""
    for template in (TEMPLATE, TEMPLATE.replace("{", "{{ ").replace("}", " }}")):
        assert topic_parser(template)("application/17c8/device/A84041FFFF123456/event/up") == (
            "17c8",
            "a84041ffff123456",
            "up",
        )
    assert topic_parser("de.hamm/{event}/{dev_eui}")("de.hamm/join/a84041ffff123456") == (
        "",
        "a84041ffff123456",
        "join",
    )


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "application/17c8/device/a84041ffff12345/event/up",
        "application/17c8/device/a84041ffff123456/event/up/x",
        "application/17c8/device/a84041ffff123456/event/up\n",
        "application//device/a84041ffff123456/event/up",
        "xapplication/17c8/device/a84041ffff123456/event/up",
    ],
)
def test_foreign_topic(topic: str) -> None:
    """A topic that does not follow the template is a TopicError."""
    with pytest.raises(TopicError, match="does not follow"):
        topic_parser(TEMPLATE)(topic)


@pytest.mark.parametrize(
    "template", ["", "a/{event}", "a/{dev_eui}", "{dev_eui}/{dev_eui}/{event}", "{dev_eui}/{event}/{x}"]
)
def test_useless_template(template: str) -> None:
    """A template without device or event, with one twice or an unknown one, is refused at start."""
    with pytest.raises(TopicError, match="event_topic"):
        topic_parser(template)
